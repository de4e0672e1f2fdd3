"""What visitors are like."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Habits:
    """Shares of the things that they say, from 0 to 1."""

    new: float = 0.2
    """Somebody new says it; else who is on the website, or has been."""
    quick_reply: float = 0.5
    """Of the first words."""
    picture: float = 0.06
    typing: float = 0.3
    moves: float = 0.1
    """He has gone to another page of the website before."""
    lost: float = 0.04
    """The connection goes before he knows that it was taken: he says it again."""
    leaves: float = 0.25
    """Afterwards he leaves, perhaps to come back."""
    looks: float = 0.7
    """Of what he is told, what he reads at once."""
