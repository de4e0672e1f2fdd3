"""Intake's fixtures: what is asked for begins there, and what is answered ends there."""

from __future__ import annotations

from tests.intake.conftest import connection, handler, log, run

__all__ = ["connection", "handler", "log", "run"]
