"""Invariant 8, what agents see as numbers: unread counts and counters equal what they count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from checker.facts.chains import Chain, Chains
from checker.facts.transcripts import Transcript, Transcripts
from checker.murmur2 import partition_of
from checker.report import Tally
from checker.rows import CounterRow, InboxRow


def check_inboxes(chains: Chains, transcripts: Transcripts, inbox: Iterable[InboxRow]) -> Tally:
    """Rows say who holds, follows and has muted it; they count unread messages of holder and followers."""
    tally = Tally(8, "each list has what its agent holds and follows, with his unread messages")
    missing = {(id_, agent) for id_, chain in chains.items() for agent in chain.live(len(chain.links))}
    for row in inbox:
        missing.discard((row.conversation, row.agent))
        fault = _fault(row, chains.get(row.conversation), transcripts.get(row.conversation))
        tally.judge((row.unread,), fault, f"{row.agent}'s list, conversation {row.conversation}")
    for conversation, agent in missing:
        chain = chains[conversation]
        tally.fail((len(chain.links),), f"{chain.key} is not in the list of {agent}")
    return tally


def check_counters(
    chains: Chains, transcripts: Transcripts, counters: Iterable[CounterRow], lanes: int
) -> Tally:
    """Each counter is the sum over the conversations that stand in its place, page and lane."""
    tally = Tally(8, "counters equal what they count")
    sums: dict[tuple[str, str, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for conversation, chain in chains.items():
        transcript = transcripts.get(conversation)
        unread = _of_conversation(chain, transcript) if transcript else 0
        for place in _places(chain):
            counted = sums[chain.workspace, place, chain.page, partition_of(chain.key.encode(), lanes)]
            counted[0] += 1
            counted[1] += unread
    for counter in counters:
        expected = sums.pop((counter.workspace, counter.place, counter.page, counter.lane), [0, 0])
        is_well = [counter.conversations, counter.unread] == expected
        tally.judge((counter.conversations,), "" if is_well else f"{counter} counts {expected}")
    for (_, place, page, lane), expected in sums.items():
        tally.fail(
            (expected[0],), f"{place} of {page} has no counter of lane {lane}, which counts {expected}"
        )
    return tally


def _places(chain: Chain) -> tuple[str, ...]:
    """With its holder; else before those to whom it is offered. And in one of the page's two totals."""
    holder, audience = chain.links[-1].holder, chain.circles[-1].audience
    if holder is not None:
        return "held", f"agent:{holder}"
    return ("unheld",) if audience is None else ("unheld", audience)


def _fault(row: InboxRow, chain: Chain | None, transcript: Transcript | None) -> str:
    if chain is None or transcript is None:
        # He may have read what no event has been decided of.
        return "nothing is known of it" if row.holds or row.follows or row.unread else ""
    last, circle = chain.links[-1], chain.circles[-1]
    for name, said, found in (
        ("holds", row.holds, row.agent == last.holder),
        ("follows", row.follows, row.agent in circle.followers),
        ("muted", row.muted, row.agent in circle.muted),
    ):
        if said != found:
            return f"{name} is {said}, the chain says {found}"
    if row.holds and row.epoch != last.epoch:
        return f"epoch {row.epoch}, the chain says {last.epoch}"
    expected = _of_agent(chain, transcript, row.agent)
    return "" if row.unread == expected else f"{row.unread} unread, expected {expected}"


def _of_conversation(chain: Chain, transcript: Transcript) -> int:
    """The holder's unread messages; of what nobody holds, the customer's in the last session he wrote in."""
    holder = chain.links[-1].holder
    if holder is not None:
        return _of_agent(chain, transcript, holder)
    sessions = [of for his, of in zip(transcript.customer, transcript.sessions, strict=True) if his]
    return sessions.count(max(sessions)) if sessions else 0


def _of_agent(chain: Chain, transcript: Transcript, agent: str) -> int:
    """The customer's messages behind what he has read or need not read; none of what he does not follow."""
    if agent not in chain.live(len(chain.links)):
        return 0
    read_to = max(transcript.reads.get(agent, 0), *_begins(chain, transcript, agent), 0)
    return sum(transcript.customer[read_to:])


def _begins(chain: Chain, transcript: Transcript, agent: str) -> Iterator[int]:
    """Up to where he need not read: each time when he was given it, or began to follow it."""
    yield 0
    for link in chain.links:
        if link.what == "assigned" and link.holder == agent:
            before = (number for number, of in enumerate(transcript.sessions) if of >= link.session)
            yield next(before, len(transcript))
        elif link.what == "followed" and link.agent == agent and agent not in chain.live(link.seq - 1):
            yield link.after_position
