"""Orders that other systems have linked to a customer who is erased: his desk is asked to let go of them.

The desk alone writes them, so each goes as a command in the eraser's name, like any other that takes one off,
and has an outcome. What is linked afterwards, or waits on the log before, stays: it may be asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from schemas.actions import Action, Erase
from schemas.envelope import Kind
from schemas.ids import MESSAGES, uuid5_text
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.work import Work
from workers.runtime.batch import Record
from workers.runtime.handler import Connection

LINK_ORDER = Kind("commands", "link_order")
LOAD = """
SELECT conversation_id::text, jsonb_path_query_array(orders, '$[*][0]')::text FROM desk_conversation
WHERE (workspace_id, conversation_id) IN (SELECT * FROM unnest($1::text[], $2::uuid[])) AND orders <> '[]'
"""

LinkedOrders = dict[str, list[str]]
"""The other system's ids, by conversation."""


async def load(connection: Connection, actions: Iterable[Action]) -> LinkedOrders:
    """Those of the customers whom `actions` erase."""
    erased = {(one.workspace, str(one.conversation)) for one in actions if isinstance(one, Erase)}
    if not erased:
        return {}
    rows = await connection.fetch(LOAD, *map(list, zip(*erased, strict=True)))
    return {conversation: orjson.loads(orders) for conversation, orders in rows}


def let_go(
    work: Work, conversation: Conversation, cause: Record, at_ms: int, action: Erase, orders: Iterable[str]
) -> None:
    """Ask the desk to take `orders` off."""
    for order in orders:
        value = {
            **conversation.facts,
            "actor": action.actor,
            "idempotency_key": uuid5_text(MESSAGES, f"{action.idempotency_key}\n{order}"),
            "by": action.by,
            "authority": "admin",
            "order": order,
            "status": None,
        }
        work.batch.emit(
            cause, LINK_ORDER, key=conversation.command_key, value=orjson.dumps(value), at_ms=at_ms
        )
