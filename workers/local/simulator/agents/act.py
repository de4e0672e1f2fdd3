"""One thing an agent does, and what he is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple


class Act(NamedTuple):
    """A call on one conversation, in the gateway's words."""

    call: str
    conversation: str
    body: dict[str, Any]


class Answer(NamedTuple):
    """What the gateway answered."""

    status: int
    body: Mapping[str, Any]

    @property
    def is_decided(self) -> bool:
        """Whether it tells an outcome: of the desk or of intake, not of the gateway alone."""
        is_refused = self.status == HTTPStatus.CONFLICT and "command" in self.body.get("details", ())
        return self.status == HTTPStatus.OK or is_refused

    @property
    def code(self) -> str:
        """`done`, or why not."""
        return "done" if self.status == HTTPStatus.OK else str(self.body.get("code", self.status))
