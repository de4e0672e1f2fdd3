"""Invariant 1 for what no customer says: agents' messages, notes and log lines, once each, none invented."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from checker.facts.asks import Ask
from checker.facts.chains import Chains, Link
from checker.invariants.answered import Answers
from checker.record import LogRecord, shown
from checker.report import Tally
from checker.rows import MessageRow

SPOKEN = frozenset(("say", "start_chat", "write_note", "send_mail", "send_sms", "start_call"))
SENT = frozenset(("send", "mail", "sms", "call"))
GREETINGS = frozenset(("greeting", "out_of_hours"))
LOGGED = frozenset(
    (
        *("assigned", "queued", "offered", "unassigned", "transferring", "transfer_ended", "care_changed"),
        *("blocked", "unblocked"),
    )
)
"""The events of a chain that have a line of the transcript."""


class Spoken(NamedTuple):
    """What an action that was carried out must have left in the transcript."""

    conversation: str
    position: int
    is_note: bool
    sender: str
    sender_id: str
    text: str | None


class LinesCheck:
    """Sees the lines of transcripts that come from no channel, then what is sent to channels."""

    def __init__(self, asks: Iterable[Ask], answers: Answers, chains: Chains) -> None:
        self.spoken = Tally(
            1, "each message and note of an agent is once in the transcript, as its action says"
        )
        self.sent = Tally(
            1, "each message of an agent is once on outbound, each greeting too, and nothing else"
        )
        self.logged = Tally(1, "each event that has a log line has it once, and no line is of nothing")
        self.greeted = Tally(1, "a page says at most one thing by itself in a session")
        self._greeted: set[tuple[str, int]] = set()
        self._chains = chains
        self._spoken: dict[str, Spoken] = {}
        self._unseen: set[str] = set()
        self._logged: defaultdict[str, Counter[tuple[int, str]]] = defaultdict(Counter)
        for ask in asks:
            if ask.what in SPOKEN:
                self._expect(ask, answers)

    @property
    def tallies(self) -> list[Tally]:
        return [self.spoken, self.sent, self.logged, self.greeted]

    def see(self, line: MessageRow) -> None:
        """One line without a channel's id."""
        if line.kind == "log":
            self._logged[line.conversation][line.seq, line.code or ""] += 1
            self._see_log(line)
            return
        if line.sender == "system":
            self._see_greeting(line)
            return
        expected = self._spoken.get(line.message)
        fault = "no action that was carried out says it"
        if expected is not None:
            fault = _fault(line, expected) if line.message in self._unseen else "for a second time"
            self._unseen.discard(line.message)
        self.spoken.judge((line.position,), fault, _where(line))

    def finish(self, outbound: Iterable[LogRecord]) -> None:
        """What was not seen, and what was sent."""
        for message in self._unseen:
            spoken = self._spoken[message]
            self.spoken.fail((spoken.position,), f"not in the transcript, though it is done: {spoken}")
        self._check_sent(outbound)
        for conversation, chain in self._chains.items():
            expected = Counter((link.seq, link.what) for link in chain.links if _is_logged(link))
            found = self._logged.pop(conversation, Counter())
            self.logged.checked += len(expected)
            for line in (expected - found) + (found - expected):
                self.logged.fail(line[:1], f"{chain.key}: {found[line]} lines of {line[1]}, seq {line[0]}")
        for conversation in self._logged:
            self.logged.fail((0,), f"conversation {conversation} has log lines, and no events")

    def _expect(self, ask: Ask, answers: Answers) -> None:
        outcome = answers.get((ask.topic, ask.place))
        if outcome is None or outcome.code:
            return
        message = outcome.said.get("message", f"of {shown(ask.place)}")
        self._unseen.add(message)
        self._spoken[message] = Spoken(
            conversation=ask.conversation,
            position=outcome.said.get("position", 0),
            is_note=ask.what == "write_note",
            sender="bot" if ask.by is None else "agent",
            sender_id=ask.by or ask.asker[2],
            text=ask.value.get("text") or None,
        )

    def _see_greeting(self, line: MessageRow) -> None:
        """What a page says by itself: once a session, to its customer."""
        session = line.conversation, line.session
        is_alone = line.code in GREETINGS and session not in self._greeted and line.session
        fault = "" if is_alone else f"{line.code} in session {line.session}, not alone"
        self.greeted.judge((line.position,), fault, _where(line))
        self._greeted.add(session)
        said = Spoken(line.conversation, line.position, False, line.sender, "", line.body or None)
        self._spoken[line.message] = said

    def _see_log(self, line: MessageRow) -> None:
        chain = self._chains.get(line.conversation)
        link = chain.at(line.seq) if chain else None
        if link is None or link.what != line.code or line.sender != "system":
            self.logged.fail((line.seq,), f"{line.code} of {line.sender} is no event {line.seq}: {line}")

    def _check_sent(self, outbound: Iterable[LogRecord]) -> None:
        left = {message for message, spoken in self._spoken.items() if not spoken.is_note}
        for record in outbound:
            if record.what("outbound") not in SENT:
                continue  # the channel's echo of one
            value, fault = record.json(), ""
            spoken = self._spoken.get(value["message"])
            said = (value["conversation"], value["position"], value.get("text") or None)
            if spoken is None or value["message"] not in left:
                fault = "no message of an agent, or for a second time"
            elif said != (spoken.conversation, spoken.position, spoken.text):
                fault = f"{said}, the transcript has {spoken}"
            self.sent.judge(record.place[::-1], fault, f"outbound {shown(record.place)}")
            left.discard(value["message"])
        for message in left:
            spoken = self._spoken[message]
            self.sent.fail((spoken.position,), f"never sent: {spoken}")


def check_acts(
    acts: Counter[tuple[str, ...]],
    asks: Iterable[Ask],
    answers: Answers,
    heard: Counter[tuple[str, ...]],
) -> Tally:
    """What was read was marked so; customers, and marks of messages, change by actions and what was heard.

    `acts` is what messages tells, `heard` what inbound may have made it tell.
    """
    tally = Tally(1, "each mark of reading is told once, and nothing of customers that nobody has told")
    done = heard.copy()
    for ask in asks:
        outcome = answers.get((ask.topic, ask.place))
        if outcome is None or outcome.code:
            continue
        if ask.what == "mark_read":
            done["read", ask.conversation, ask.by or "", str(ask.value["position"])] += 1
        elif ask.what in {"set_labels", "set_profile", "erase"}:
            done["customer_changed", ask.conversation] += 1
    for act in done.keys() | acts.keys():
        is_well = acts[act] == done[act] if act[0] == "read" else acts[act] <= done[act]
        fault = "" if is_well else f"told {acts[act]} times, done {done[act]} times"
        tally.judge((done[act],), fault, str(act))
    return tally


def _where(line: MessageRow) -> str:
    return f"conversation {line.conversation}, position {line.position}"


def _is_logged(link: Link) -> bool:
    """A transfer that only asks others by now says nothing new to who reads the transcript."""
    return link.what in LOGGED and link.said.get("again") != "asked"


def _fault(line: MessageRow, expected: Spoken) -> str:
    found = Spoken(
        line.conversation,
        line.position,
        line.kind == "note",
        line.sender,
        line.sender_id or "",
        line.body or None,
    )
    return "" if found == expected else f"is {found}, its action says {expected}"
