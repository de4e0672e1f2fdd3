"""One fault for each thing that is checked of a desk's day, with the title of the check that must catch it.

The day has all that these faults look for; see tests.checker.test_desk_days.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

from checker.record import Json
from checker.rows import DefinitionRow, DeskConversationRow
from schemas.base import rfc3339
from tests.checker.busy_desk import AGENTS
from tests.checker.planted import Planted
from tests.checker.plants import Fault, rename_event

Fits = Callable[[Json], bool]
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def anything(_: Json) -> bool:
    """Every value fits."""
    return True


def record_of(planted: Planted, topic: str, what: str, fits: Fits = anything, *, nth: int = 0) -> int:
    """The number of the first record of this kind that fits, or of a later one."""
    found = [
        number
        for number, record in enumerate(planted.topics[topic])
        if record.what(topic) == what and fits(record.json())
    ]
    return found[nth]


def alter(topic: str, what: str, fits: Fits = anything, *, nth: int = 0, **fields: object) -> Fault:
    """A record says something else."""
    return lambda planted: planted.change(topic, record_of(planted, topic, what, fits, nth=nth), **fields)


def alter_all(topic: str, what: str, fits: Fits, name: str, **fields: object) -> Fault:
    """What all these records say of a thing is something else."""

    def plant(planted: Planted) -> None:
        for number, record in enumerate(planted.topics[topic]):
            if record.what(topic) == what and fits(record.json()):
                planted.change(topic, number, **{name: record.json()[name] | fields})

    return plant


def lose(topic: str, what: str, fits: Fits = anything) -> Fault:
    """A record was never published."""
    return lambda planted: planted.topics[topic].pop(record_of(planted, topic, what, fits))


def say_again(topic: str, what: str, fits: Fits = anything) -> Fault:
    """What a record says is said once more, in another one."""

    def plant(planted: Planted) -> None:
        record = planted.topics[topic][record_of(planted, topic, what, fits)]
        planted.append(topic, (record.key or b"").decode(), what, record.json(), record.timestamp_ms)

    return plant


def turn_outcome(what: str, other: str, fits: Fits, **fields: object) -> Fault:
    """What was done is told as refused, or the other way round."""

    def plant(planted: Planted) -> None:
        number = record_of(planted, "outcomes", what, fits)
        planted.change("outcomes", number, **fields)
        _head(planted, "outcomes", number, "ce_type", f"tongdai.outcomes.{other}.v1")

    return plant


def rename(what: str, fits: Fits, other: str) -> Fault:
    """An event of a chain is of another kind."""

    def plant(planted: Planted) -> None:
        number = record_of(planted, "assignments", what, fits)
        _head(planted, "assignments", number, "ce_type", f"tongdai.assignments.{other}.v1")

    return plant


def renumber(planted: Planted) -> None:
    """An event has an id that its command does not give it."""
    _head(planted, "assignments", record_of(planted, "assignments", "session_opened"), "ce_id", "strange")


def _head(planted: Planted, topic: str, number: int, name: str, content: str) -> None:
    record = planted.topics[topic][number]
    headers = tuple((key, content.encode() if key == name else value) for key, value in record.headers)
    planted.topics[topic][number] = record._replace(headers=headers)


def change_details(planted: Planted) -> None:
    """A loser is told another time."""
    number = record_of(planted, "outcomes", "refused", of("claim", code="taken"))
    details = planted.topics["outcomes"][number].json()["details"]
    planted.change("outcomes", number, details=details | {"earlier_ms": 123_456})


def change_who_asked(planted: Planted) -> None:
    """Somebody changed the care who neither holds it nor administers its page."""
    done = planted.topics["outcomes"][record_of(planted, "outcomes", "done", of("set_care"))].json()
    number = record_of(planted, "commands", "set_care", has(idempotency_key=done["idempotency_key"]))
    planted.change("commands", number, by="ghost", authority="agent")


def offer_to_holder(planted: Planted) -> None:
    """A holder offers it to himself."""
    number = record_of(planted, "assignments", "transferring")
    holder = planted.topics["assignments"][number].json()["holder"]
    planted.change("assignments", number, agents=[holder])


def change_why(fits: Fits, **fields: object) -> Fault:
    """An assignment tells otherwise how it came about."""

    def plant(planted: Planted) -> None:
        number = record_of(planted, "assignments", "assigned", fits)
        why = planted.topics["assignments"][number].json()["why"]
        planted.change("assignments", number, why=why | fields)

    return plant


def row(name: str, value: object) -> Fault:
    """A conversation's row holds something else."""

    def plant(planted: Planted) -> None:
        rows = planted.tables[DeskConversationRow]
        number = next(number for number, one in enumerate(rows) if getattr(one, name) != value)
        planted.change_row(DeskConversationRow, number, **{name: value})

    return plant


def definition(what: str, definition_: Json) -> Fault:
    """A row of the roster holds something else."""

    def plant(planted: Planted) -> None:
        rows = planted.tables[DefinitionRow]
        number = next(number for number, one in enumerate(rows) if one.what == what)
        planted.change_row(DefinitionRow, number, definition=orjson.dumps(definition_).decode())

    return plant


def give_second_turn_to_first(planted: Planted) -> None:
    """Who had the first turn of a rule has the second one too."""
    first, second = (
        record_of(planted, "assignments", "assigned", by("round_robin"), nth=nth) for nth in (0, 1)
    )
    planted.change("assignments", second, holder=planted.topics["assignments"][first].json()["holder"])


def let_another_win(planted: Planted) -> None:
    """Of two who claimed, the event and the outcomes say that the later one has it."""
    loser = planted.topics["outcomes"][record_of(planted, "outcomes", "refused", of("claim", code="taken"))]
    number = record_of(
        planted,
        "assignments",
        "assigned",
        lambda value: (
            value["why"]["method"] == "claim" and value["holder"] == loser.json()["details"]["winner"]
        ),
    )
    planted.change("assignments", number, holder=loser.json()["actor"].partition("/")[2])


def again_the_same_tags(planted: Planted) -> None:
    """Facts are told to have changed, and have not."""
    number = record_of(planted, "assignments", "facts_changed")
    record = planted.topics["assignments"][number]
    key, at = record.json()["key"], record.json()["seq"]
    before = [
        one.json()["facts"]
        for one in planted.topics["assignments"]
        if "facts" in one.json() and one.json()["key"] == key and one.json()["seq"] < at
    ]
    planted.change("assignments", number, facts=before[-1])


def offer_offline_to(audience: str) -> Fault:
    """What an agent who stayed away has lost is offered to others than the agents of its page."""

    def plant(planted: Planted) -> None:
        lost = planted.topics["assignments"][
            record_of(planted, "assignments", "unassigned", has(how="offline"))
        ].json()
        fits = has(key=lost["key"], cause=lost["cause"])
        planted.change("assignments", record_of(planted, "assignments", "offered", fits), audience=audience)

    return plant


def give_least_busy_to(agent: str) -> Fault:
    """Each time that the least busy is asked, the same one gets it."""

    def plant(planted: Planted) -> None:
        for number, record in enumerate(planted.topics["assignments"]):
            if record.what("assignments") == "assigned" and by("least_busy")(record.json()):
                planted.change("assignments", number, holder=agent)

    return plant


def let_the_last_be_urgent(planted: Planted) -> None:
    """Who begins to wait is more urgent than all who wait already."""
    for number, record in enumerate(planted.topics["assignments"]):
        if record.what("assignments") == "queued":
            planted.change("assignments", number, priority=-record.json()["queued_offset"])


def let_the_last_be_served(planted: Planted) -> None:
    """Who has waited the shortest has waited the longest."""
    for number, record in enumerate(planted.topics["assignments"]):
        if record.what("assignments") == "queued":
            age = datetime.fromisoformat(record.json()["queued_at"]) - _LONG_AGO
            turned = rfc3339(_LONG_AGO - age)
            planted.change("assignments", number, priority=0, queued_at=turned)


def by_a_stranger(command: str, what: str, how: str | None = None) -> Fault:
    """Somebody who may not asks for it, and it comes about."""

    def plant(planted: Planted) -> None:
        said = {"how": how} if how else {}
        keys = {
            record.json()["command"]
            for record in planted.topics["assignments"]
            if record.what("assignments") == what and has(**said)(record.json())
        }
        number = record_of(planted, "commands", command, lambda value: value["idempotency_key"] in keys)
        planted.change("commands", number, by="ghost", authority="agent")

    return plant


def ask_a_stranger_too(planted: Planted) -> None:
    """The day's last transfer was told again, with one of the department who had come: as if another had."""
    number, record = [
        (number, record)
        for number, record in enumerate(planted.topics["assignments"])
        if record.what("assignments") == "transferring"
    ][-1]
    planted.change("assignments", number, agents=[*record.json()["agents"][:-1], "ghost"])


def change_vacate(planted: Planted) -> None:
    """A leave goes on that was nobody's."""
    planted.change("commands", record_of(planted, "commands", "vacate"), command="other")


def by(method: str) -> Fits:
    """An assignment by this method."""
    return lambda value: value["why"]["method"] == method


def of(command: str, **fields: object) -> Fits:
    """An outcome of this command."""
    return lambda value: value["command"] == command and all(value.get(n) == v for n, v in fields.items())


def has(**fields: object) -> Fits:
    """A value with these fields."""
    return lambda value: all(value.get(name) == field for name, field in fields.items())


def of_rule(name: str) -> Fits:
    """A version of this rule."""
    return lambda value: value["rule"]["id"] == name


_FITS = "each event of a chain fits how things stood"
_ANSWERABLE = "a transfer asks all who are there"
_CARE = "the care status goes only where it may"
_ROUND = "the next round begins"
_FOLD = "folding assignments gives"
_ROSTER = "folding roster gives"
_ONCE = "each command and each action has exactly one outcome"
_GENUINE = "each outcome is of something asked"
_NAMED = "each event that names a command"
_CLAIMS = "of those who claim"
_LOSERS = "every loser of a claim"
_REPLIES = "each answer that claims in vain"
_ELIGIBLE = "nobody was automatically assigned"
_KNOWN = "nobody outside of the desk"
_WAITS = "nobody waits while"
_HEARD = "what is offered to a rule's agents calls"
_FIRST = "the first rule that matches"
_HEARD = "what is offered to a rule's agents"
_OPENED = "who waits for a rule or for none"
_SOONER = {"stretches": [{"days": ["sat"], "begins": "15:28:30", "ends": "15:29"}]}
_POOL = "what an agent who stayed away"
_LEAST = "of a rule that asks the least busy"
_ORDER = "who waits is served"
_PLACE = "who waits has the priority"
_MAY = "only its holder gives it up"
_MEANT = "what is asked befalls"
_HIS = "nobody is refused for what he is"
_TURN = "nobody has a second turn"

_NEVER = "2020-01-01T00:00:00.000Z"
_ASSIGNMENTS = "assignments"


def _changed(what: str, fits: Fits = anything, **fields: Any) -> Fault:  # noqa: ANN401 - JSON
    return alter(_ASSIGNMENTS, what, fits, **fields)


CASES: dict[str, tuple[Fault, str]] = {
    "unfollowed without following": (_changed("unfollowed", agent="ghost"), _FITS),
    "followed as admin by who is none": (
        _changed("followed", lambda value: value["as_admin"], agent="an"),
        _FITS,
    ),
    "unfollowed by itself": (
        _changed("unfollowed", lambda value: value.get("command") is not None, command=None),
        _FITS,
    ),
    "followed twice": (rename_event("unfollowed", "followed"), _FITS),
    "muted twice": (rename_event("unmuted", "muted"), _FITS),
    "unmuted without mute": (rename_event("muted", "unmuted"), _FITS),
    "let in without block": (rename_event("blocked", "confirmed"), _FITS),
    "let in before its time": (_changed("unblocked", by=None), _FITS),
    "silent twice": (rename_event("session_woken", "session_silenced"), _FITS),
    "woken without silence": (rename_event("session_silenced", "session_woken"), _FITS),
    "missed without being away": (_changed("holder_absent", lambda value: value["until"], until=None), _FITS),
    "quiet for ever": (_changed("quieted", until="2099-01-01T00:00:00.000Z"), _FITS),
    "an order that stood otherwise": (_changed("order_changed", former_status="returned"), _FITS),
    "an order told twice": (_changed("order_changed", has(former_status="new"), status="new"), _FITS),
    "taken from another": (_changed("unassigned", former_holder="ghost"), _FITS),
    "queued without a session": (rename_event("session_opened", "confirmed"), _FITS),
    "offered to who is not there": (_changed("transferring", agents=["ghost"]), _FITS),
    "offered to its holder": (offer_to_holder, _FITS),
    "offered to two at once": (
        _changed("transferring", has(to_department=None), to_department="sale"),
        _FITS,
    ),
    "offered to one more who has not come": (ask_a_stranger_too, _FITS),
    "offered for ever": (_changed("transferring", expires_at="2099-01-01T00:00:00.000Z"), _FITS),
    "offered once more": (
        rename("transfer_ended", lambda value: value["how"] != "overtaken", "confirmed"),
        _FITS,
    ),
    "transfer ended without beginning": (rename_event("transferring", "confirmed"), _FITS),
    "left without leaving": (_changed("transfer_ended", has(how="overtaken"), how="target_left"), _FITS),
    "waits for who is not there": (
        rename("transfer_ended", has(how="target_left"), "confirmed"),
        _ANSWERABLE,
    ),
    "one who came is not asked": (rename("transferring", has(again="asked"), "confirmed"), _ANSWERABLE),
    "asks others as if one had rejected it": (
        _changed("transferring", has(again="asked"), again="rejected"),
        _FITS,
    ),
    "expired too soon": (_changed("transfer_ended", has(how="overtaken"), how="expired"), _FITS),
    "overtaken in silence": (rename("transfer_ended", has(how="overtaken"), "confirmed"), _FITS),
    "accepted by a stranger": (_changed("assigned", by("transfer"), holder="ghost"), _FITS),
    "care jumps": (_changed("care_changed", has(care="pending_close"), care="done"), _CARE),
    "care from elsewhere": (_changed("care_changed", has(former_care="accepted"), former_care="new"), _CARE),
    "refused without reason": (_changed("care_changed", has(care="refused"), reason=None), _CARE),
    "refused for no reason of ours": (_changed("care_changed", has(care="refused"), reason="?"), _CARE),
    "done without outcome": (_changed("care_changed", has(care="done"), outcome=None), _CARE),
    "won without done": (_changed("care_changed", has(care="closed_won"), outcome="won"), _CARE),
    "done sooner than allowed": (
        alter_all("roster", "policy_changed", anything, "policy", done_from=[]),
        _CARE,
    ),
    "care by a stranger": (
        change_who_asked,
        _CARE,
    ),
    "care changes with an agent": (_changed("assigned", by("claim"), care="closed_won"), _CARE),
    "refused and kept": (rename("unassigned", has(how="refused"), "confirmed"), _CARE),
    "round too early": (_changed("care_changed", has(care="closed_won"), round=7), _ROUND),
    "no round after refusal": (_changed("unassigned", has(how="refused"), round=1), _ROUND),
    "strange id": (renumber, "each event of a desk has the id"),
    "offered to nobody": (
        _changed("offered", lambda value: value["audience"].startswith("rule:"), let_pass=list(AGENTS)),
        _HEARD,
    ),
    "policy differs": (definition("policy", {}), _ROSTER),
    "presence differs": (definition("presence", {"presence": "away", "gateways": {"g9": "away"}}), _ROSTER),
    "presence lost": (lose("roster", "presence_changed"), _ROSTER),
    "second turn": (give_second_turn_to_first, _TURN),
    "leave untold": (
        alter_all(
            "roster", "agent_changed", lambda value: value["agent"]["on_leave"], "agent", on_leave=False
        ),
        _TURN,
    ),
    "outcome lost": (lose("outcomes", "done", of("transfer")), _ONCE),
    "outcome twice": (say_again("outcomes", "refused", of("claim")), _ONCE),
    "repetition answered": (say_again("outcomes", "done", of("configure")), _ONCE),
    "reuse of a key not refused": (lose("outcomes", "refused", has(code="key_reused")), _ONCE),
    "reuse of a key refused twice": (say_again("outcomes", "refused", has(code="key_reused")), _ONCE),
    "outcome of nothing": (alter("outcomes", "done", of("transfer"), idempotency_key="other"), _GENUINE),
    "outcome of another command": (alter("outcomes", "done", of("claim"), command="appoint"), _GENUINE),
    "outcome before its command": (alter("outcomes", "done", of("claim"), at=_NEVER), _GENUINE),
    "another's command": (_changed("care_changed", lambda value: value["command"], command="other"), _NAMED),
    "refused and done": (
        turn_outcome("done", "refused", of("transfer"), code="not_holder"),
        _NAMED,
    ),
    "claimed by release": (
        _changed("assigned", by("appoint"), why={"method": "claim", "command": "k"}),
        _NAMED,
    ),
    "the second wins": (let_another_win, _CLAIMS),
    "two winners": (turn_outcome("refused", "done", of("claim", code="taken")), _CLAIMS),
    "the first refused": (turn_outcome("done", "refused", of("claim"), code="not_listed"), _CLAIMS),
    "not told who": (
        alter("outcomes", "refused", of("claim", code="taken"), details={"winner": "ghost", "earlier_ms": 0}),
        _LOSERS,
    ),
    "told another time": (
        change_details,
        _LOSERS,
    ),
    "told another reason": (
        alter("outcomes", "refused", of("claim", code="taken"), code="not_listed"),
        _LOSERS,
    ),
    "answer not given back": (lose(_ASSIGNMENTS, "reply_refused"), _REPLIES),
    "answer given back otherwise": (_changed("reply_refused", code="expired"), _REPLIES),
    "answer given back twice": (say_again(_ASSIGNMENTS, "reply_refused"), _REPLIES),
    "above capacity": (
        alter_all("roster", "agent_changed", lambda value: value["agent"]["capacity"], "agent", capacity=1),
        _ELIGIBLE,
    ),
    "above the channel's capacity": (
        alter_all("roster", "agent_changed", anything, "agent", channel_capacity={"messenger": 0}),
        _ELIGIBLE,
    ),
    "on leave": (alter_all("roster", "agent_changed", anything, "agent", on_leave=True), _ELIGIBLE),
    "offline": (
        alter_all("roster", "rule_changed", of_rule("turns"), "rule", online_only=True),
        _ELIGIBLE,
    ),
    "too soon": (alter_all("roster", "rule_changed", of_rule("turns"), "rule", gap_s=9_999), _ELIGIBLE),
    "too many": (
        alter_all(
            "roster",
            "rule_changed",
            of_rule("turns"),
            "rule",
            window={"conversations": 1, "seconds": 9_999},
        ),
        _ELIGIBLE,
    ),
    "not of the rule": (alter_all("roster", "rule_changed", of_rule("turns"), "rule", agents=[]), _ELIGIBLE),
    "not for the page": (alter_all("roster", "rule_changed", of_rule("turns"), "rule", pages=[]), _ELIGIBLE),
    "other version of the rule": (change_why(by("round_robin"), rule_version=99), _ELIGIBLE),
    "claimed by a stranger": (_changed("assigned", by("claim"), holder="ghost"), _KNOWN),
    "beyond limits in silence": (
        change_why(lambda value: value["why"]["exceeds"] == ["offline"], exceeds=[]),
        _KNOWN,
    ),
    "waits though its rule has no limits": (
        alter_all("roster", "rule_changed", anything, "rule", online_only=False, gap_s=None, window=None),
        _WAITS,
    ),
    "waits for nothing": (
        alter_all(
            "roster",
            "rule_changed",
            of_rule("limited"),
            "rule",
            online_only=False,
            gap_s=None,
            window=None,
        ),
        _WAITS,
    ),
    "offered to a rule of nobody": (
        alter_all("roster", "rule_changed", of_rule("race"), "rule", agents=[], departments=[]),
        _HEARD,
    ),
    "offered to who is on leave": (
        alter_all("roster", "agent_changed", anything, "agent", on_leave=True),
        _HEARD,
    ),
    "tags told twice": (
        again_the_same_tags,
        _FITS,
    ),
    "another rule than the first": (
        alter_all("roster", "rule_changed", of_rule("vips"), "rule", conditions={}),
        _FIRST,
    ),
    "a rule that is closed": (
        alter_all("roster", "rule_changed", of_rule("early"), "rule", conditions={}),
        _FIRST,
    ),
    "a rule that has opened, and those who wait": (
        alter_all("roster", "rule_changed", of_rule("early"), "rule", conditions={"hours": _SOONER}),
        _OPENED,
    ),
    "a rule of another channel that has opened": (
        alter_all(
            "roster",
            "rule_changed",
            of_rule("early"),
            "rule",
            channels=["messenger"],
            conditions={"hours": _SOONER},
        ),
        _OPENED,
    ),
    "given to the next after all": (
        offer_offline_to("rule:limited/0"),
        _POOL,
    ),
    "given to another page after all": (offer_offline_to("page:ghost"), _POOL),
    "given to a busier one": (give_least_busy_to("an"), _LEAST),
    "the least busy is somebody else each time": (give_least_busy_to("binh"), _LEAST),
    "served before others": (let_the_last_be_served, _ORDER),
    "served before who is more urgent": (let_the_last_be_urgent, _ORDER),
    "another age": (_changed("queued", queued_at=_NEVER), _PLACE),
    "another priority": (_changed("queued", priority=9), _PLACE),
    "released by a stranger": (by_a_stranger("release", "unassigned", "released"), _MAY),
    "taken off by a stranger": (by_a_stranger("take_off", "unassigned", "taken_off"), _MAY),
    "offered by a stranger": (by_a_stranger("transfer", "transferring"), _MAY),
    "blocked by a stranger": (by_a_stranger("block", "blocked"), _MAY),
    "followed by a stranger": (by_a_stranger("follow", "followed"), _MAY),
    "appointed to another": (_changed("assigned", by("appoint"), holder="binh"), _MEANT),
    "on another's list": (_changed("followed", lambda value: value["command"], agent="ghost"), _MEANT),
    "his right refused": (turn_outcome("done", "refused", of("release"), code="not_holder"), _HIS),
    "an admin's right refused": (turn_outcome("done", "refused", of("take_off"), code="forbidden"), _HIS),
    "left by nobody's command": (
        change_vacate,
        _NAMED,
    ),
    **{
        f"{name} differs": (row(name, value), _FOLD)
        for name, value in {
            "holder": "ghost",
            "care": "done",
            "round": 99,
            "followers": ["ghost"],
            "muted": ["ghost"],
            "declined": ["ghost"],
            "blocked": True,
            "blocked_until": 1,
            "audience": "page:else",
            "ring": 9,
            "offer_expires_at": 1,
            "transfer": '{"to_agent": "ghost"}',
            "silent": None,
            "absent_until": 1,
            "quiet_until": 1,
            "orders": '[["DH-9", "new"]]',
            "queued_at": 1,
            "priority": 9,
            "reason": "?",
            "outcome": "?",
            "held_since": 1,
            "taken_from": "page:else",
            "last_holder": "ghost",
            "last_held_at": 1,
            "facts": "{}",
            "after_position": 99,
        }.items()
    },
}
