"""Invariant 4, second half: folding assignments and roster gives exactly the tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import orjson

from checker.facts.chains import Chain, Chains
from checker.facts.roster import RosterEvent
from checker.record import shown
from checker.report import Tally
from checker.rows import ConversationRow, DefinitionRow, DeskConversationRow, HeldRow, NotifierRow


def check_desk(chains: Chains, rows: Iterable[DeskConversationRow]) -> Tally:
    """The desk's conversations are the fold of their chains."""
    tally = Tally(4, "folding assignments gives the desk's conversations")
    left = set(chains)
    for row in rows:
        tally.checked += 1
        left.discard(row.conversation)
        expected = _folded(chains.get(row.conversation))
        if row != expected:
            tally.fail((row.seq,), f"the desk has {_difference(row, expected)} for {row.key}")
    for conversation in left:
        tally.fail((len(chains[conversation].links),), f"the desk does not know {chains[conversation].key}")
    return tally


def check_followers(
    chains: Chains,
    intake: Collection[ConversationRow],
    notifier: Iterable[NotifierRow],
    held: Iterable[HeldRow],
) -> Tally:
    """Intake has applied each chain to its end, the notifier each chain and each transcript."""
    tally = Tally(4, "intake and notifier have applied everything to its end")
    for row in intake:
        tally.checked += 1
        last = _last(chains, row.conversation)
        if (row.seq, row.epoch, row.holder, row.standing) != last or row.route_unanswered:
            tally.fail((row.seq,), f"intake has {row}, the chain ends with {last}")
    left = {row.conversation: row.position for row in intake}
    for follower in notifier:
        tally.checked += 1
        last = _last(chains, follower.conversation)
        position = left.pop(follower.conversation, 0)
        if (follower.seq, follower.epoch, follower.holder, follower.position) != (*last[:3], position):
            tally.fail(
                (follower.seq,), f"the notifier has {follower}, the end is {last}, position {position}"
            )
    for conversation, position in left.items():
        tally.fail((position,), f"the notifier does not know conversation {conversation}")
    for message in held:
        tally.fail((message.position,), f"the notifier still waits for the chain number of {message}")
    return tally


def check_roster(events: Iterable[RosterEvent], rows: Iterable[DefinitionRow]) -> Tally:
    """Versions of each thing count from 1, and the last one is what the table has."""
    tally = Tally(4, "folding roster gives the desk's agents, departments, pages and rules")
    last: dict[tuple[str, str, str, str], RosterEvent] = {}
    for event in events:
        tally.checked += 1
        name = (event.kind, *event.desk, event.name)
        before = last[name].version if name in last else 0
        if event.version != before + 1:
            tally.fail(
                event.place[::-1], f"roster {shown(event.place)}: version {event.version} after {before}"
            )
        last[name] = event
    for row in rows:
        tally.checked += 1
        found = last.pop((row.what, row.workspace, row.desk, row.id), None)
        if found is None or not _same(found, row):
            tally.fail((row.version,), f"the desk has {row}, roster says {found}")
    for event in last.values():
        tally.fail((event.version,), f"the desk lacks the {event.kind} {event.name}")
    return tally


def _same(event: RosterEvent, row: DefinitionRow) -> bool:
    bare = {name: value for name, value in orjson.loads(row.definition).items() if value is not None}
    told = {name: value for name, value in event.definition.items() if value is not None}
    return (event.version, not event.removed, told) == (row.version, row.active, bare)


def _folded(chain: Chain | None) -> DeskConversationRow | None:
    if chain is None:
        return None
    last = chain.links[-1]
    session_open = False
    for link in chain.links:
        session_open = link.what != "session_closed" and (session_open or link.what == "session_opened")
    return DeskConversationRow(
        workspace=chain.workspace,
        conversation=chain.conversation,
        desk=chain.desk,
        key=chain.key,
        page=chain.page,
        seq=last.seq,
        last_event_id=last.id,
        epoch=last.epoch,
        round=last.round,
        care=last.care,
        standing=last.standing,
        holder=last.holder,
        session=last.session,
        session_open=session_open,
    )


def _last(chains: Chains, conversation: str) -> tuple[int, int, str | None, str]:
    chain = chains.get(conversation)
    if chain is None:
        return 0, 0, None, "idle"
    link = chain.links[-1]
    return link.seq, link.epoch, link.holder, link.standing


def _difference(row: DeskConversationRow, expected: DeskConversationRow | None) -> str:
    if expected is None:
        return f"{row}, without any event,"
    pairs = zip(row._fields, row, expected, strict=True)
    return ", ".join(f"{name} {mine} (events: {theirs})" for name, mine, theirs in pairs if mine != theirs)
