"""The notifier worker."""

from __future__ import annotations

from collections.abc import Sequence

from config.settings import Settings
from workers.notifier.handler import NotifierHandler
from workers.runtime.handler import Handler
from workers.runtime.topology import Topology


def notifier_handlers(_topology: Topology, _settings: Settings) -> Sequence[Handler]:
    """One kind of lane."""
    return [NotifierHandler()]
