"""Invariant 4, second half: folding assignments and roster gives exactly the tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict

import orjson

from checker.facts.chains import Chain, Chains
from checker.facts.conversation import Conversation
from checker.facts.roster import RosterEvent
from checker.record import Json, at_ms, shown
from checker.report import Tally
from checker.rows import ConversationRow, DefinitionRow, DeskConversationRow, HeldRow, NotifierRow


def check_desk(
    chains: Chains, conversations: Mapping[str, Conversation], rows: Iterable[DeskConversationRow]
) -> Tally:
    """The desk's conversations are the fold of their chains, in every column."""
    tally = Tally(4, "folding assignments gives the desk's conversations")
    left = set(chains)
    for row in rows:
        left.discard(row.conversation)
        fault = _row_fault(row, chains.get(row.conversation), conversations.get(row.conversation))
        tally.judge((row.seq,), fault and f"the desk has {fault} for {row.key}")
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
        last = _last(chains, row.conversation)
        is_well = (row.seq, row.epoch, row.holder, row.standing) == last and not row.route_unanswered
        tally.judge((row.seq,), "" if is_well else f"intake has {row}, the chain ends with {last}")
    left = {row.conversation: row.position for row in intake}
    for follower in notifier:
        last = _last(chains, follower.conversation)
        position = left.pop(follower.conversation, 0)
        told = follower.seq, follower.epoch, follower.holder, follower.position
        is_well = told == (*last[:3], position)
        fault = "" if is_well else f"the notifier has {follower}, the end is {last}, position {position}"
        tally.judge((follower.seq,), fault)
    for conversation, position in left.items():
        if position:  # else its customer has only told who he is
            tally.fail((position,), f"the notifier does not know conversation {conversation}")
    for message in held:
        tally.fail((message.position,), f"the notifier still waits for the chain number of {message}")
    return tally


def check_roster(events: Iterable[RosterEvent], rows: Iterable[DefinitionRow]) -> Tally:
    """Versions of each thing count from 1, and the last one is what the table has."""
    tally = Tally(4, "folding roster gives the desk's agents, departments, pages, rules, policy, presences")
    last: dict[tuple[str, str, str, str], RosterEvent] = {}
    for event in events:
        name = (event.kind, *event.desk, event.name)
        before = last[name].version if name in last else 0
        fault = "" if event.version == before + 1 else f"version {event.version} after {before}"
        tally.judge(event.place[::-1], fault, f"roster {shown(event.place)}")
        last[name] = event
    for row in rows:
        found = last.pop((row.what, row.workspace, row.desk, row.id), None)
        is_well = found is not None and _same(found, row)
        tally.judge((row.version,), "" if is_well else f"the desk has {row}, roster says {found}")
    for event in last.values():
        tally.fail((event.version,), f"the desk lacks the {event.kind} {event.name}")
    return tally


def _same(event: RosterEvent, row: DefinitionRow) -> bool:
    bare = {name: value for name, value in orjson.loads(row.definition).items() if value is not None}
    told = {name: value for name, value in event.definition.items() if value is not None}
    return (event.version, not event.removed, told) == (row.version, row.active, bare)


def _row_fault(row: DeskConversationRow, chain: Chain | None, folded: Conversation | None) -> str:
    if chain is None or folded is None:
        return f"{row}, without any event,"
    expected = asdict(folded) | {
        "workspace": chain.workspace,
        "conversation": chain.conversation,
        "desk": chain.desk,
        "page": chain.page,
    }
    found = row._asdict()
    for name in ("declined", "followers", "muted", "admin_followers"):
        found[name] = frozenset(found[name])
    found["orders"] = tuple((order, status) for order, status in orjson.loads(row.orders))
    for name in ("facts", "transfer"):
        found[name], expected[name] = _object(found[name]), _object(expected[name])
    return ", ".join(
        f"{name} {mine} (events: {expected[name]})" for name, mine in found.items() if mine != expected[name]
    )


def _object(value: str | Json | None) -> Json | None:
    """JSON, as text or read, without what says nothing; its time as a number."""
    if value is None:
        return None
    read = orjson.loads(value) if isinstance(value, str) else value
    bare = {name: each for name, each in read.items() if each is not None and each != []}
    return bare | {name: at_ms(bare[name]) for name in ("expires_at",) if name in bare}


def _last(chains: Chains, conversation: str) -> tuple[int, int, str | None, str]:
    chain = chains.get(conversation)
    if chain is None:
        return 0, 0, None, "idle"
    link = chain.links[-1]
    return link.seq, link.epoch, link.holder, link.standing
