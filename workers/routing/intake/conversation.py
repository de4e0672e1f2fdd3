"""One conversation as intake knows it while its lane is here."""

from __future__ import annotations

from dataclasses import dataclass, field

from schemas.assignments import Standing
from schemas.ids import channel_of, desk_key
from workers.routing.intake.reply import Reply
from workers.routing.intake.ticket import Ticket


@dataclass(slots=True)
class Conversation:
    """The state that only the owner of `lane` changes; a row of `conversation`. Times in ms since 1970."""

    workspace: str
    desk: str
    id: str
    """A UUID as text, as ids are everywhere here: most go into JSON."""
    lane: int
    key: str
    page: str
    position: int = 0
    """Of the transcript's last line; 0: none yet."""
    seq: int = 0
    """The last assignment event applied."""
    epoch: int = 0
    standing: Standing = "idle"
    holder: str | None = None
    route_unanswered: bool = False
    session: int = 0
    """The number of the last session; 0 before the first."""
    session_open: bool = False
    session_customer_messages: int = 0
    session_agent_messages: int = 0
    last_at_ms: int = 0
    """Of the customer's last message; when the conversation began, before the first."""
    interacted_at_ms: int | None = None
    """When he last did what his channel counts as writing: later than that, or before his first session."""
    ad_at_ms: int | None = None
    """When he last came by an advertisement."""
    timer_at_ms: int | None = None
    """When the session's silence timer falls due; none: not armed, or on its way."""
    customer_name: str | None = None
    """The customer's name on the channel, as last told."""
    tags: tuple[str, ...] = ()
    """The customer's: rules choose by them."""
    answered_at_ms: int | None = None
    """When the page's side last wrote."""
    touched_at_ms: int | None = None
    """When the desk was last told that somebody writes."""
    silence_at_ms: int | None = None
    """When the session may begin to count as silent; none: not armed, or on its way."""
    silent: bool = False
    """Whether the desk was told that the open session is silent."""
    blocked: bool = False
    """Whether the customer is kept out."""
    away: bool = False
    """Whether the customer has left, as his channel has told, and is not back."""
    offer_rule: str | None = None
    """The rule that last offered it; none: no rule did."""
    replies: list[Reply] = field(default_factory=list)
    """Answers that wait for the desk, in the order in which they were written."""
    seen_position: int = 0
    """How far an agent has read; kept where the customer is shown that when he comes back."""
    ticket: Ticket | None = None
    """Its last one."""

    channel: str = field(init=False)
    facts: dict[str, str] = field(init=False)
    """What every record about it says; kept because each of its messages needs it."""
    is_stored: bool = False
    """Whether Postgres has it."""

    def __post_init__(self) -> None:
        self.channel = channel_of(self.page)
        self.facts = {
            "workspace": self.workspace,
            "desk": self.desk,
            "conversation": self.id,
            "key": self.key,
        }

    @property
    def user(self) -> str:
        """The customer's id on the page."""
        return self.key[len(self.page) + 1 :]

    @property
    def spoke_at_ms(self) -> int:
        """When anybody last wrote."""
        return max(self.last_at_ms, self.answered_at_ms or 0)

    @property
    def command_key(self) -> bytes:
        """The Kafka key of what its desk is asked."""
        return desk_key(self.workspace, self.desk).encode()
