"""A database, and the desk on it."""

from __future__ import annotations

from tests.desk.conftest import connection, world

__all__ = ("connection", "world")
