"""Follows invented histories in memory, as the handler does with servers."""

from __future__ import annotations

import random
from collections.abc import Iterable

from schemas.assignments import Assigned, Followed
from schemas.notifications import NoticeMessage
from tests.notifier.history import History, Notified, Step
from workers.notifier.carried import Carried
from workers.notifier.conversation import Conversation, Heard, Marked
from workers.notifier.notices import issue
from workers.notifier.reading import page_of
from workers.notifier.recipients import ChainStep, take
from workers.notifier.told import Announced, Telling, Told

LANE = 3
Line = Step | Heard | Marked


class Follower:
    """Follows one history in memory."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.conversation = Conversation("acme", history.conversation, LANE)
        self.everything: list[Telling] = []

    @property
    def told(self) -> list[Told]:
        """What agents were told, apart from read marks."""
        return [each for each in self.everything if isinstance(each, Told) and each.what != "read"]

    @property
    def announced(self) -> list[tuple[str, str, int]]:
        return [(t.what, t.audience, t.place[0]) for t in self.everything if isinstance(t, Announced)]

    def take(self, each: Line) -> None:
        said = ChainStep(each.id, each.event) if isinstance(each, Step) else each
        self.conversation.page = page_of(said)
        self.everything += take(self.conversation, said, self.carried(each))

    def take_all(self, everything: Iterable[Line]) -> None:
        for each in everything:
            self.take(each)

    def carried(self, each: Line) -> Carried:
        """What the transcript says, which is all stored by now."""
        positions = self.history.customer_positions
        if isinstance(each, Marked):
            return Carried(None, each.read.position, [p for p in positions if p > each.read.position])
        if isinstance(each, Heard) or not isinstance(each.event, (Assigned, Followed)):
            return Carried(None)
        after = each.event.after_position
        if isinstance(each.event, Followed):
            return Carried(None, after, [p for p in positions if p > after])
        first = self.history.sessions[each.event.session - 1]
        latest = max((p for p in positions if p <= after), default=0)
        message = self.history.messages[latest - 1].message if latest else None
        return Carried(
            NoticeMessage.model_validate(message.model_dump()) if message else None,
            first - 1,
            [p for p in positions if p >= first],
        )

    def notified(self) -> list[Notified]:
        rows = [issue(each).row for each in self.told]
        return [Notified(r.kind, r.notice, r.agent, r.seq, r.epoch, r.position) for r in rows if r]

    def unread(self, agent: str) -> int:
        return self.conversation.seats[agent].unread


def interleave(history: History, seed: int) -> list[Line]:
    """Both logs in one order that keeps each one's own; runs of either are long or short."""
    dice = random.Random(seed)
    queues: list[list[Line]] = [list(history.steps), list(history.transcript)]
    order: list[Line] = []
    while any(queues):
        queue = dice.choice([queue for queue in queues if queue])
        length = dice.choice((1, 1, 2, 5, len(queue)))
        order += queue[:length]
        del queue[:length]
    return order
