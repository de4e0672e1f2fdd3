"""What is logged, and how it looks."""

from __future__ import annotations

from typing import Literal

from config.section import Section

LogLevel = Literal["debug", "info", "warning", "error", "critical"]
LogFormat = Literal["auto", "json", "console"]


class LogSettings(Section):
    """Of every process."""

    level: LogLevel = "info"
    """The least that is written."""
    format: LogFormat = "auto"
    """`auto`: for people on a terminal, JSON anywhere else; production has JSON."""
