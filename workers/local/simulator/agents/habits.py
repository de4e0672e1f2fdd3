"""What agents are like: how fast they are, and how often they do what."""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random


@dataclass(frozen=True, kw_only=True)
class Habits:
    """Shares from 0 to 1, and times in seconds."""

    claim: float = 0.6
    """Of the offers that he sees, those that he goes for."""
    reply: float = 0.2
    """Of these, those that he takes by answering."""
    accept: float = 0.7
    """Of the transfers that he is asked to take; the others he rejects."""
    answer: float = 0.8
    """When customers wait, he answers one; else he does something about another conversation of his."""
    again: float = 0.02
    """He sends the same once more, as who does not trust his network."""
    over_http: float = 0.3
    """Of his commands; the others go over his socket."""
    away: float = 0.02
    """Instead of doing something he steps away, or is back."""
    lost: float = 0.01
    """Instead of doing something he loses his connection."""
    patience_s: float = 15.0
    """For an answer, before he sends the same again; longer than the gateway waits for an outcome."""
    pause_s: float = 0.8
    """Between two acts, on average."""
    shift_s: float = 60.0
    home_s: float = 12.0
    """On average; some are gone long enough to be offline."""
    reaction_s: tuple[float, float] = (0.05, 0.3)
    """From an offer to his click, at least and at most."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, float) and not each.name.endswith("_s") and not 0 <= value <= 1:
                raise ValueError(f"{each.name} is {value}: a share is from 0 to 1")

    def reacts_after_s(self, random: Random) -> float:
        """How long this offer takes him."""
        return random.uniform(*self.reaction_s)
