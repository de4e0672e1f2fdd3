"""What the person who starts the demo can choose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Options:
    """One run of the demo.

    Attributes:
        data_dir: of the embedded servers, and of the workers' log.
        embedded: whether to start servers here, rather than to use those that the settings name.
        rate_per_s: messages a second.
        seconds: for how long, once the agents have come; None until Ctrl-C.
        agents: how many of the sample's agents are played.
        seed: of names, texts and chances.
        port: of the ingress; None for the usual one when it is free, else any free one.
        fresh: delete the data of the embedded servers first.
    """

    data_dir: Path
    embedded: bool
    rate_per_s: float
    seconds: float | None
    agents: int
    seed: int
    port: int | None
    fresh: bool
