"""What a runtime tells about itself: read by health checks and by the watchdog."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic


@dataclass(slots=True)
class Status:
    """The state of one kind of lane in this process."""

    kind: str
    waiting_for: str | None = "its first assignment of lanes"
    """A dependency that is down, or why no work can be done yet."""
    joined: bool = False
    """Whether the group has ever told which lanes are ours, perhaps none."""
    stopped: dict[int, str] = field(default_factory=dict)
    awaited: frozenset[int] = frozenset()
    """Lanes that are assigned and not held yet."""
    lag: int = 0
    moved_at: float = field(default_factory=monotonic)
    """When anything was last confirmed, or there was nothing to do."""
    beat_at: float = field(default_factory=monotonic)
    """When the loop last came round."""

    def problems(self) -> list[str]:
        """Why this runtime is not ready; empty when it is."""
        waiting_for = self.waiting_for or (None if self.joined else "its first assignment of lanes")
        problems = [f"{self.kind} waits for {waiting_for}"] if waiting_for else []
        problems += [f"{self.kind} lane {lane} is stopped: {why}" for lane, why in self.stopped.items()]
        if self.awaited:
            problems.append(f"{self.kind} takes over lanes {sorted(self.awaited)}")
        return problems

    def go_on(self, now: float) -> None:
        """Nothing is waited for any more: what was down until now does not count as being stuck."""
        if self.waiting_for is not None:
            self.moved_at = self.beat_at = now
            self.waiting_for = None

    def stuck_s(self, now: float) -> float:
        """For how many seconds there has been work and none was done; 0 while a dependency is down."""
        if self.waiting_for:
            return 0.0
        behind = now - self.moved_at if self.lag else 0.0
        return max(behind, now - self.beat_at)
