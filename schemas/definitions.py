"""What a desk consists of, as people write it down: agents, departments, pages, rules, and its policy."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from schemas.base import NO_CONTROL_PATTERN, NO_NUL_PATTERN, Channel, InsideModel, Name, PageId, Slug
from schemas.tickets import TicketFields

AGENTS_MAX = 5_000
DEPARTMENTS_MAX = 1_000
RULES_MAX = 1_000
PAGES_MAX = 5_000
ADMINS_MAX = 100
TAGS_MAX = 100
CHANNELS_MAX = 32
RINGS_MAX = 10
WORDS_MAX = 500
AUTO_TEXT_CHARS_MAX = 1_000
"""Every channel takes so much at once."""

Method = Literal["round_robin", "least_busy", "self_claim", "appoint"]
"""`round_robin`: in turn; `least_busy`: fewest open sessions; `self_claim`: offered to all of the rule, the
fastest has it; `appoint`: offered to the page's admins, who name somebody."""
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Capacity = Annotated[int, Field(ge=1, le=1_000)]
ChannelCapacity = Annotated[dict[Channel, Capacity], Field(max_length=CHANNELS_MAX)]
Seconds = Annotated[int, Field(ge=1, le=30 * 24 * 60 * 60)]
TimeZone = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_CONTROL_PATTERN)]
OutsideId = Annotated[str, StringConstraints(min_length=1, max_length=128)]
AutoWords = Annotated[
    str, StringConstraints(min_length=1, max_length=AUTO_TEXT_CHARS_MAX, pattern=NO_NUL_PATTERN)
]
Word = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_CONTROL_PATTERN)]

PictureUrl = Annotated[str, StringConstraints(max_length=1_000, pattern=r"^https://[!-~]+$")]
"""Browsers of agents fetch it: encrypted, and written as addresses are sent."""

AgentIds = Annotated[tuple[Slug, ...], Field(max_length=AGENTS_MAX)]
DepartmentIds = Annotated[tuple[Slug, ...], Field(max_length=DEPARTMENTS_MAX)]
Tags = Annotated[tuple[Tag, ...], Field(max_length=TAGS_MAX)]

DEFAULT_TIME_ZONE = "Asia/Ho_Chi_Minh"


class Agent(InsideModel):
    """A person who answers."""

    id: Slug
    name: Name
    picture: PictureUrl | None = None
    """His avatar, where colleagues see who holds a conversation."""
    capacity: Capacity | None = None
    """Open sessions held at once, at most; none: no limit."""
    channel_capacity: ChannelCapacity = Field(default_factory=dict)
    """The same of single channels."""
    on_leave: bool = False
    """Not asked for anything, until back."""


class Department(InsideModel):
    """A set of agents."""

    id: Slug
    name: Name
    agents: AgentIds


class AutoText(InsideModel):
    """A text that is sent by itself, in the languages in which it was written: in one of them at least."""

    vi: AutoWords | None = None
    en: AutoWords | None = None

    @model_validator(mode="after")
    def _says_something(self) -> AutoText:
        if self.vi is None and self.en is None:
            raise ValueError("an automatic text is written in vi or in en, or in both")
        return self


class Page(InsideModel):
    """One connected channel account."""

    id: PageId
    name: Name
    admins: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=ADMINS_MAX)]
    """The first is the one who connected it."""
    greeting: AutoText | None = None
    """Sent to a customer when a session of his opens."""
    out_of_hours: AutoText | None = None
    """Sent instead when it opens outside of the policy's business hours."""


class Stretch(InsideModel):
    """Part of some days of the week; one that ends before it begins goes on after midnight."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)]
    begins: time
    ends: time

    @model_validator(mode="after")
    def _is_of_its_hours(self) -> Stretch:
        if self.begins.tzinfo is not None or self.ends.tzinfo is not None:
            raise ValueError("a time of day is written without a zone, which the hours say as time_zone")
        return self


class Hours(InsideModel):
    """When business is open."""

    time_zone: TimeZone = DEFAULT_TIME_ZONE
    stretches: Annotated[tuple[Stretch, ...], Field(min_length=1, max_length=50)]
    holidays: Annotated[tuple[date, ...], Field(max_length=WORDS_MAX)] = ()
    """Closed on these whole days of the time zone."""


class Conditions(InsideModel):
    """What a conversation must be for a rule to match: each that is given must hold."""

    tags: Tags = ()
    """One of these at least."""
    lists: Annotated[tuple[Slug, ...], Field(max_length=TAGS_MAX)] = ()
    """One of these keyword lists matched the customer's message."""
    languages: Tags = ()
    """One of these, as the channel states it (`vi`, `en`; `en` matches `en_US`)."""
    hours: Hours | None = None
    """Only within these."""


class Fallback(InsideModel):
    """What happens when nobody of the rule is eligible: wait, ask another rule, or give it to one agent."""

    kind: Literal["wait", "rule", "agent"] = "wait"
    id: Slug | None = None
    """Of the rule or agent."""

    @property
    def agent(self) -> str | None:
        """The agent who is named, if one is."""
        return self.id if self.kind == "agent" else None


class Team(InsideModel):
    """Agents and departments that are asked together."""

    agents: AgentIds = ()
    departments: DepartmentIds = ()


class Window(InsideModel):
    """At most so many new conversations for one agent within so many seconds."""

    conversations: Capacity
    seconds: Seconds


class Rule(InsideModel):
    """For which pages, to which agents, by which method. Rules have an order; the first that matches wins."""

    id: Slug
    name: Name
    owner: Slug
    pages: Annotated[tuple[PageId, ...], Field(max_length=PAGES_MAX)] = ()
    channels: Annotated[tuple[Channel, ...], Field(max_length=CHANNELS_MAX)] = ()
    """All pages of these channels, beside `pages`."""
    conditions: Conditions = Conditions()
    agents: AgentIds = ()
    departments: DepartmentIds = ()
    method: Method = "round_robin"
    fallback: Fallback = Fallback()
    online_only: bool = False
    """Only agents who are online are asked; otherwise absent ones have their turns too."""
    gap_s: Seconds | None = None
    """Between two new conversations of one agent, at least."""
    window: Window | None = None
    last_agent_s: Seconds | None = None
    """A customer who comes back within this time goes to the agent he had, if eligible."""
    vip_tags: Tags = ()
    """Customers with one of these go before the others in the queue."""
    urgent_after_s: Seconds | None = None
    """Who has waited longer goes before the others, behind those with a VIP tag."""
    offer_timeout_s: Seconds | None = None
    """Of self_claim: after this an offer goes on to the next ring; none, or no ring left: it waits."""
    next_rings: Annotated[tuple[Team, ...], Field(max_length=RINGS_MAX)] = ()
    after_refusal: Literal["pool", "next"] = "next"
    """`pool`: offered to all agents of the page; `next`: the rule finds another agent."""
    reply_claims: bool = False
    """An agent who answers an offered conversation has it by that."""
    offline_grace_s: Annotated[int, Field(ge=0, le=24 * 60 * 60)] | None = None
    """A customer writes and his agent is offline: after this it is back in the pool; none: he keeps it."""


class Reason(InsideModel):
    """One of the workspace's reasons for a care status."""

    id: Slug
    name: Name
    care: Literal["refused", "done", "pending_close"] = "refused"


class KeywordList(InsideModel):
    """Words that rules can ask for; a message matches when it has one, whatever its case and diacritics."""

    id: Slug
    words: Annotated[tuple[Word, ...], Field(min_length=1, max_length=WORDS_MAX)]


DoneFrom = Literal["accepted", "pending_close", "closed_won"]
OrderedCare = Literal["pending_close", "closed_won"]
"""Care statuses that speak of orders: of one that is not confirmed yet, and of one that is."""
OrderCheck = Literal["off", "warn", "require"]


class Policy(InsideModel):
    """What holds for the whole desk."""

    reasons: Annotated[tuple[Reason, ...], Field(max_length=WORDS_MAX)] = ()
    keyword_lists: Annotated[tuple[KeywordList, ...], Field(max_length=100)] = ()
    hours: Hours | None = None
    """Business hours: outside of them pages send their `out_of_hours`; none: always open."""
    silent_after_s: Seconds | None = None
    """A session silent for so long does not count as load; none: it counts to its end."""
    transfer_timeout_s: Seconds = 120
    outside_quiet_s: Seconds = 30 * 60
    """A human has answered a customer outside, e.g. in the Page's own inbox: for so long nobody is asked."""
    outside_agents: Annotated[dict[OutsideId, Slug], Field(max_length=AGENTS_MAX)] = Field(
        default_factory=dict
    )
    """Who such a human is, by the channel's id of him: then his answer counts as his claim."""
    done_from: Annotated[tuple[DoneFrom, ...], Field(max_length=3)] = ("closed_won",)
    """From which care statuses `done` is allowed; from `closed_won` it always is."""
    former_holders_follow: bool = True
    """Who has handed a conversation over goes on reading and following it, until he unfollows."""
    ticket_fields: TicketFields = ()
    """What tickets can say beside their subjects."""
    order_checks: dict[OrderedCare, OrderCheck] = Field(default_factory=dict)
    """Whether these care statuses check the customer's orders; `off` where nothing is said."""
