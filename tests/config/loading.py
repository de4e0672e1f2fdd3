"""The types of the fixtures that load settings."""

from __future__ import annotations

from collections.abc import Callable

from config.settings import Settings

Load = Callable[..., Settings]
"""Loads settings with some variables set, named without their prefix."""

Refuse = Callable[..., dict[str, str]]
"""Loads settings that must be refused; returns what is said of each variable."""
