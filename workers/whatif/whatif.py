"""Both lives of a desk at once: as it was, and as it would have been."""

from __future__ import annotations

from datetime import datetime

from workers.whatif.comparison import Comparison
from workers.whatif.replay import Recorded, Replay
from workers.whatif.tally import Tally, moved
from workers.workspace.workspace import DeskRoster


class WhatIf:
    """Takes a desk's commands one by one, from the first; holds about two kilobytes for each conversation.

    Args:
        workspace: whose desk it is.
        other: what the desk would have been from `since` on.
        since: none: from its first command on.
        elsewhere: pages and agents that the registry gives to other desks.
    """

    def __init__(
        self, workspace: str, other: DeskRoster, since: datetime | None, elsewhere: dict[str, str]
    ) -> None:
        self._happened = Replay(workspace, other.id, elsewhere=elsewhere)
        self._otherwise = Replay(workspace, other.id, other=other, since=since, elsewhere=elsewhere)
        self._tallies = Tally(since), Tally(since)
        self.commands = 0

    def take(self, recorded: Recorded) -> None:
        """Live through one command, both ways. Raises OtherRulesRefusedError."""
        self.commands += 1
        for replay, tally in zip((self._happened, self._otherwise), self._tallies, strict=True):
            tally.note(replay.desk, replay.live(recorded))

    def compare(self) -> Comparison:
        """What it was and would have been."""
        before, after = self._tallies
        return Comparison(
            before.figures(self._happened.desk),
            after.figures(self._otherwise.desk),
            moved(before.first, after.first),
            self.commands,
        )
