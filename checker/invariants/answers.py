"""Invariant 3, the other side: every `route` is answered, every session is opened once on the chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from checker.facts.chains import Chains
from checker.facts.commands import Commands
from checker.facts.letters import Letters
from checker.record import shown
from checker.report import Tally
from checker.rows import SessionRow


def check_answers(chains: Chains, commands: Commands, letters: Letters) -> Tally:
    """Each route command has an event of its conversation that names it as its cause."""
    tally = Tally(3, "every route is answered by an event")
    answered = {
        (chain.conversation, link.cause_partition, link.cause_offset)
        for chain in chains.values()
        for link in chain.links
    }
    for route in commands.routes:
        tally.checked += 1
        if (route.conversation, *route.place) not in answered and not letters.of("commands", route.place):
            tally.fail(
                route.place[::-1],
                f"commands {shown(route.place)}: nobody answered the route of {route.conversation}",
            )
    return tally


def check_causes(chains: Chains, commands: Commands) -> Tally:
    """Each event of a chain names a command that is on its desk's log."""
    tally = Tally(4, "each event of a chain was caused by a command that is on the log")
    for chain in chains.values():
        for link in chain.links:
            tally.checked += 1
            place = link.cause_partition, link.cause_offset
            if not commands.has(place):
                tally.fail(
                    (link.seq, link.offset),
                    f"{chain.key} seq {link.seq}: no command at commands {shown(place)}",
                )
    return tally


def check_sessions(chains: Chains, sessions: Iterable[SessionRow]) -> Tally:
    """Each session of the table is opened by one event, each ended one is closed by one, and no others."""
    tally = Tally(3, "each session is opened once on its chain, and closed once when it ended")
    events = Counter(
        (chain.conversation, link.session, link.what)
        for chain in chains.values()
        for link in chain.links
        if link.what in {"session_opened", "session_closed"}
    )
    for row in sessions:
        tally.checked += 1
        opened = events.pop((row.conversation, row.session, "session_opened"), 0)
        closed = events.pop((row.conversation, row.session, "session_closed"), 0)
        if (opened, closed) != (1, int(row.ended)):
            tally.fail(
                (row.session,),
                f"conversation {row.conversation}, session {row.session}: opened {opened} times, "
                f"closed {closed} times, ended {row.ended}",
            )
    for conversation, session, what in events:
        tally.fail(
            (session,), f"conversation {conversation}: {what} of a session {session} that is not stored"
        )
    return tally
