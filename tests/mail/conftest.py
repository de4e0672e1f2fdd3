"""Intake's fixtures: what is written and answered there begins and ends in the transcript."""

from __future__ import annotations

from tests.intake.conftest import connection, handler, log, run

__all__ = ["connection", "handler", "log", "run"]
