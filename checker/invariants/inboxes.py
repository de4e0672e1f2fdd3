"""Invariant 8, what agents see as numbers: unread counts and counters equal what they count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from checker.facts.chains import Chain, Chains
from checker.facts.transcripts import Transcript, Transcripts
from checker.murmur2 import partition_of
from checker.report import Tally
from checker.rows import CounterRow, InboxRow


def check_inboxes(chains: Chains, transcripts: Transcripts, inbox: Iterable[InboxRow]) -> Tally:
    """The holder's row, and his alone, holds; it counts his unread messages."""
    tally = Tally(8, "each holder's list has the conversation with its unread messages, nobody else's has")
    missing = {conversation for conversation, chain in chains.items() if chain.links[-1].holder}
    for row in inbox:
        tally.checked += 1
        chain = chains.get(row.conversation)
        holder = chain.links[-1].holder if chain else None
        if row.holds and row.agent == holder:
            missing.discard(row.conversation)
        fault = _fault(row, chain, transcripts.get(row.conversation))
        if fault:
            tally.fail((row.unread,), f"{row.agent}'s list, conversation {row.conversation}: {fault}")
    for conversation in missing:
        chain = chains[conversation]
        tally.fail((len(chain.links),), f"{chain.key} is not in the list of {chain.links[-1].holder}")
    return tally


def check_counters(
    chains: Chains, inbox: Iterable[InboxRow], counters: Iterable[CounterRow], lanes: int
) -> Tally:
    """Each counter is the sum over the held rows of its agent and lane."""
    tally = Tally(8, "counters equal what they count")
    sums: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for row in inbox:
        chain = chains.get(row.conversation)
        if row.holds and chain is not None:
            counted = sums[row.workspace, row.agent, partition_of(chain.key.encode(), lanes)]
            counted[0] += 1
            counted[1] += row.unread
    for counter in counters:
        tally.checked += 1
        expected = sums.pop((counter.workspace, counter.agent, counter.lane), [0, 0])
        if [counter.conversations, counter.unread] != expected:
            tally.fail((counter.conversations,), f"{counter} counts {expected}")
    for (_, agent, lane), expected in sums.items():
        tally.fail((expected[0],), f"{agent} has no counter of lane {lane}, which counts {expected}")
    return tally


def _fault(row: InboxRow, chain: Chain | None, transcript: Transcript | None) -> str:
    last = chain.links[-1] if chain else None
    if chain is None or last is None or transcript is None:
        return "nothing is known of it"
    if row.holds != (row.agent == last.holder):
        return f"holds is {row.holds}, the holder is {last.holder}"
    if not row.holds:
        return f"{row.unread} unread, though it is another's" if row.unread else ""
    if row.epoch != last.epoch:
        return f"epoch {row.epoch}, the chain says {last.epoch}"
    expected = _unread(chain, transcript)
    return "" if row.unread == expected else f"{row.unread} unread, {expected} were written"


def _unread(chain: Chain, transcript: Transcript) -> int:
    """The customer's messages since the session in which the holder got it; nobody marks them read yet."""
    giver = chain.giver(len(chain.links))
    session = giver.session if giver else 0
    lines = zip(transcript.customer, transcript.sessions, strict=True)
    return sum(his and of >= session for his, of in lines)
