"""What operators read of orders in what the worker writes about its work: which was linked, or refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pydantic import BaseModel

from config.logging import get_logger
from schemas.asks import LinkOrder
from schemas.assignments import OrderChanged
from schemas.outcomes import Refused

_log = get_logger(__name__)


class OrderTurn(NamedTuple):
    """One of the events that answered `command`."""

    lane: int
    command: LinkOrder
    event: BaseModel


def write_down(turns: Iterable[OrderTurn]) -> None:
    """Write them to the worker's log; a batch that has to be done again writes them again."""
    for lane, command, event in turns:
        where = {
            "workspace": command.workspace,
            "conversation": str(command.conversation),
            "lane": lane,
            "order": command.order,
            "by": command.actor,
        }
        match event:
            case OrderChanged():
                _log.info("order_linked", **where, status=event.status, former_status=event.former_status)
            case Refused():
                _log.info("order_refused", **where, code=event.code)
