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
        is_well = (route.conversation, *route.place) in answered or letters.of("commands", route.place)
        fault = "" if is_well else f"nobody answered the route of {route.conversation}"
        tally.judge(route.place[::-1], fault, f"commands {shown(route.place)}")
    return tally


def check_causes(chains: Chains, commands: Commands) -> Tally:
    """Each event of a chain names a command that is on its desk's log."""
    tally = Tally(4, "each event of a chain was caused by a command that is on the log")
    for chain in chains.values():
        for link in chain.links:
            place = link.cause_partition, link.cause_offset
            fault = "" if commands.has(place) else f"no command at commands {shown(place)}"
            tally.judge((link.seq, link.offset), fault, chain.where(link))
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
        opened = events.pop((row.conversation, row.session, "session_opened"), 0)
        closed = events.pop((row.conversation, row.session, "session_closed"), 0)
        is_well = (opened, closed) == (1, int(row.ended))
        fault = "" if is_well else f"opened {opened} times, closed {closed} times, ended {row.ended}"
        tally.judge((row.session,), fault, f"conversation {row.conversation}, session {row.session}")
    for conversation, session, what in events:
        tally.fail(
            (session,), f"conversation {conversation}: {what} of a session {session} that is not stored"
        )
    return tally
