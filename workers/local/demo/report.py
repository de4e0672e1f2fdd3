"""What a run of the demo has shown, counted from topics and tables."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import NamedTuple

import orjson

from config.settings import Settings
from schemas.ids import channel_of
from workers.channels.topic_reader import Offsets
from workers.local.demo.latency import Latencies
from workers.local.demo.platforms import Fates
from workers.local.demo.tables_part import Id, TablesPart, count_tables
from workers.local.demo.topics_part import TopicsPart, count_topics
from workers.local.simulator.agents.ledger import AgentLedger
from workers.local.simulator.ledger import Ledger
from workers.local.simulator.visitors.ledger import VisitorLedger

SPREAD_MAX = 1


@dataclass(frozen=True)
class Report:
    """The numbers of one run. Messages are customers': texts, attachments, postbacks.

    Attributes:
        posted: distinct messages that were posted.
        accepted: distinct messages that were answered 200.
        by_channel: the same by channel.
        stored_by_channel: of `stored`, those of each channel.
        duplicates_posted: messages that were posted again although they had been answered 200.
        stored: distinct posted messages that are in transcripts.
        conversations: conversations that they are in.
        assigned: assignment events.
        notified: distinct notices.
        deadlettered: records on deadletter.
        lost: accepted messages that are in no transcript.
        duplicated: messages in transcripts more than once, and events on a topic more than once.
        out_of_order: messages that stand before one that their customer wrote earlier.
        round_robin_spread_max: the largest difference between counts of a rule's agents, at any moment.
        commands: distinct commands and actions of agents.
        outcomes: outcomes that agents were sent.
        claims: conversations that an agent claimed.
        claims_lost: claims that came after another's.
        refused: outcomes that are refusals.
        refused_by_code: the same by their codes.
        transfers: offers of a holder to hand a conversation over.
        answers: agents' messages to customers in transcripts.
        delivered: those of them that their platform has.
        sent_twice: messages that a platform has more than once.
        visitors: those who have come to the website, and how often they came back, sent a picture, or lost
            their connection before they knew that something was taken.
        misshown: messages that visitors were shown twice, out of order, or not at all.
        without_outcome: commands that have none.
        repeated_outcomes: outcomes beyond the first of their command.
        mistold: commands whose sender was told otherwise than their outcome says, or that there is none.
        wrong_races: races with other than one winner, and losers who were told of another one.
        unanswered: commands whose sender was never told, however often he asked again.
        turned_away: what the gateway refused itself, by code: it never was a command.
        returns: how often an agent came back and went on from his last notice.
        latency_ms: from Kafka's append of a message to the arrival of its notice; p50, p95, p99.
        seconds: how long messages were posted.
    """

    posted: int
    accepted: int
    by_channel: dict[str, int]
    stored_by_channel: dict[str, int]
    duplicates_posted: int
    stored: int
    conversations: int
    assigned: int
    notified: int
    deadlettered: int
    lost: int
    duplicated: int
    out_of_order: int
    round_robin_spread_max: int
    commands: int
    outcomes: int
    claims: int
    claims_lost: int
    refused: int
    refused_by_code: dict[str, int]
    transfers: int
    answers: int
    delivered: int
    sent_twice: int
    visitors: dict[str, int]
    misshown: int
    without_outcome: int
    repeated_outcomes: int
    mistold: int
    wrong_races: int
    unanswered: int
    turned_away: dict[str, int]
    returns: int
    latency_ms: dict[str, int | None]
    seconds: float

    @property
    def failures(self) -> list[str]:
        """What should not be, in words."""
        wrong = {
            "lost": self.lost,
            "duplicated": self.duplicated,
            "out of order": self.out_of_order,
            "answers sent twice": self.sent_twice,
            "messages shown wrong to visitors": self.misshown,
            "commands without an outcome": self.without_outcome,
            "outcomes repeated": self.repeated_outcomes,
            "agents told otherwise than the outcome": self.mistold,
            "races not decided for one": self.wrong_races,
            "commands never answered": self.unanswered,
        }
        found = [f"{count} {what}" for what, count in wrong.items() if count]
        if self.round_robin_spread_max > SPREAD_MAX:
            found.append(f"round robin uneven by {self.round_robin_spread_max}")
        return found

    def as_json(self) -> bytes:
        """The report as a file."""
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


class Seen(NamedTuple):
    """What the simulator knows: what was posted and taken, what agents were told, how their answers fared."""

    ledger: Ledger
    visitors: VisitorLedger
    agents: AgentLedger
    latencies: Latencies
    seconds: float
    fates: Fates


async def make_report(settings: Settings, seen: Seen, begins: Offsets) -> Report:
    """Count what lies on the topics since `begins`, and in the tables. Raises DependencyError."""
    topics = await count_topics(settings, begins)
    tables = await count_tables(settings, _ids(seen.ledger.posted), topics.begin_ms)
    # In a thread: a view goes on being drawn, and Ctrl-C being heard, while much is compared.
    return await asyncio.to_thread(_compare, seen, topics, tables)


def _compare(seen: Seen, topics: TopicsPart, tables: TablesPart) -> Report:
    ledger, acts, told = seen.ledger, topics.acts, seen.agents.told
    accepted = set(_ids(ledger.accepted))
    stored: dict[str, list[str]] = defaultdict(list)
    for page, id_ in tables.times:
        stored[page].append(id_)
    return Report(
        posted=ledger.count_posted(),
        accepted=len(accepted),
        by_channel=by_channel(ledger.accepted),
        stored_by_channel=by_channel(stored),
        duplicates_posted=ledger.duplicates_posted,
        stored=len(tables.times),
        conversations=len(tables.transcripts),
        assigned=topics.assigned,
        notified=len(topics.notices),
        deadlettered=topics.deadlettered,
        lost=len(accepted - tables.times.keys()),
        duplicated=sum(count - 1 for count in tables.times.values()) + topics.repeated,
        out_of_order=out_of_order(ledger.accepted_by_conversation(), tables.transcripts),
        round_robin_spread_max=topics.rotation.spread_max(tables.rings),
        commands=acts.commands,
        outcomes=acts.outcomes,
        claims=acts.claims,
        claims_lost=acts.claims_lost,
        refused=acts.refused.total(),
        refused_by_code=dict(sorted(acts.refused.items())),
        transfers=acts.transfers,
        answers=tables.answers,
        delivered=seen.fates.delivered,
        sent_twice=seen.fates.sent_twice,
        visitors=seen.visitors.summary(),
        misshown=seen.visitors.misshown,
        without_outcome=acts.without_outcome(told),
        repeated_outcomes=acts.repeated_outcomes(),
        mistold=acts.mistold(told, seen.agents.turned_away),
        wrong_races=acts.wrong_races(),
        unanswered=seen.agents.unanswered,
        turned_away=dict(sorted(Counter(seen.agents.turned_away.values()).items())),
        returns=seen.agents.returns,
        latency_ms=seen.latencies.summary(),
        seconds=round(seen.seconds, 1),
    )


def by_channel(accepted: Mapping[str, Collection[object]]) -> dict[str, int]:
    """How many messages of each channel, of those of each page."""
    found: Counter[str] = Counter()
    for page, messages in accepted.items():
        found[channel_of(page)] += len(messages)
    return dict(sorted(found.items()))


def out_of_order(written: Mapping[str, Sequence[str]], transcripts: Mapping[str, Sequence[str]]) -> int:
    """How many messages stand in a transcript before one that their customer wrote earlier.

    Args:
        written: ids by conversation, in the order of their customer.
        transcripts: ids by conversation, in the order of positions.
    """
    return sum(_early(ids, transcripts.get(key, ())) for key, ids in written.items())


def _early(written: Sequence[str], transcript: Sequence[str]) -> int:
    position = {id_: number for number, id_ in enumerate(transcript)}
    highest, early = -1, 0
    for id_ in written:
        found = position.get(id_, highest)
        early += found < highest
        highest = max(highest, found)
    return early


def _ids(by_page: Mapping[str, Iterable[tuple[str, str]]]) -> Iterable[Id]:
    return ((page, sent[1]) for page, messages in by_page.items() for sent in messages)
