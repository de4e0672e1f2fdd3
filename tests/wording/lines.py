"""Events of a chain as the desk tells them, for the lines that the transcript keeps of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from schemas.assignments import Assigned, CareChanged, Cause, ChainEvent, Means, Unassigned, Why
from schemas.ids import conversation_id
from workers.wording.names import Names

AT = datetime(2026, 11, 22, 1, 15, tzinfo=UTC)
LAN, MINH, HOA = (f"agent:hoa-sen/{agent}" for agent in ("lan", "minh", "hoa"))
NAMES = Names(
    agents={"lan": "Lan", "minh": "Minh", "hoa": "Hoa"},
    departments={"ban-hang": "Bán hàng"},
    rules={"deu": "Messenger chia đều"},
    owners={"deu": "lan"},
    reasons={"khong-mua": "Khách không mua"},
)
_KEY = "messenger:1:an"
_STANDS: dict[str, Any] = {
    "workspace": "hoa-sen",
    "desk": "main",
    "conversation": conversation_id(_KEY),
    "key": _KEY,
    "page": "messenger:1",
    "seq": 2,
    "previous": None,
    "epoch": 1,
    "round": 1,
    "session": 1,
    "after_position": 1,
    "at": AT,
    "standing": "held",
    "holder": "minh",
    "care": "accepted",
    "cause": Cause(partition=0, offset=1),
}


def event(model: type[ChainEvent], **fields: object) -> ChainEvent:
    """The event, held by Minh unless `fields` say otherwise."""
    return model.model_validate(_STANDS | fields)


def assigned(method: Means, *, former: str | None = None, **fields: object) -> ChainEvent:
    """Minh has it from here on; by a rule's method, or by whom `by` names."""
    holder = fields.pop("holder", "minh")
    rule = {} if "by" in fields else {"rule": "deu", "rule_version": 1}
    why = Why.model_validate({"method": method} | rule | fields)
    return event(Assigned, holder=holder, former_holder=former, why=why)


def unassigned(how: str, by: str | None = None) -> ChainEvent:
    """Minh has it no more."""
    nobody = {"holder": None, "standing": "idle", "care": "waiting"}
    return event(Unassigned, former_holder="minh", how=how, by=by, **nobody)


def care(former: str, now: str, by: str | None = None, **fields: object) -> ChainEvent:
    """Its care status is another."""
    return event(CareChanged, former_care=former, care=now, by=by, **fields)
