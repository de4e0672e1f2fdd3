"""What is logged, and how it looks."""

from __future__ import annotations

from typing import Literal

from config.section import Section

LogLevel = Literal["debug", "info", "warning", "error", "critical"]
LogFormat = Literal["auto", "json", "console"]


class LogSettings(Section):
    """`auto` writes for people on a terminal and JSON anywhere else, and JSON in production."""

    level: LogLevel = "info"
    format: LogFormat = "auto"
