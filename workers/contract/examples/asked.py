"""What a desk is asked (commands) and what became of it (outcomes)."""

from __future__ import annotations

from hashlib import sha256

from schemas.commands import Configure, Route, SessionEnded
from schemas.envelope import Kind
from schemas.ids import event_id
from schemas.outcomes import Done, Refused
from workers.contract.examples.example import Example, at, example
from workers.contract.examples.people import (
    ACTOR,
    CONVERSATION,
    DESK,
    DESK_KEY,
    IDEMPOTENCY_KEY,
    KEY,
    LAN,
    MINH,
    PAGE,
    RULE,
    SAIGON,
    SALES,
    WORKSPACE,
)

_CONFIGURE = Configure(
    workspace=WORKSPACE,
    desk=DESK,
    actor=ACTOR,
    idempotency_key=IDEMPOTENCY_KEY,
    agents=(LAN, MINH),
    departments=(SALES,),
    pages=(SAIGON,),
    rules=(RULE,),
)
_ROUTE = Route(
    workspace=WORKSPACE,
    desk=DESK,
    conversation=CONVERSATION,
    key=KEY,
    position=1,
    session=1,
    page=PAGE,
    channel="messenger",
    opens_session=True,
    language="vi",
)
_ENDED = SessionEnded(
    workspace=WORKSPACE,
    desk=DESK,
    conversation=CONVERSATION,
    key=KEY,
    position=5,
    session=1,
    ended_by="silence",
    customer_messages=2,
    agent_messages=1,
)
_DIGEST = sha256(_CONFIGURE.model_dump_json().encode()).hexdigest()
_DONE = Done(
    workspace=WORKSPACE,
    desk=DESK,
    actor=ACTOR,
    idempotency_key=IDEMPOTENCY_KEY,
    command="configure",
    request_sha256=_DIGEST,
    at=at(-3_600),
    result={
        "agents": {"added": 2, "changed": 0, "removed": 0},
        "departments": {"added": 1, "changed": 0, "removed": 0},
        "pages": {"added": 1, "changed": 0, "removed": 0},
        "rules": {"added": 1, "changed": 0, "removed": 0},
    },
)
_REFUSED = Refused(
    workspace=WORKSPACE,
    desk=DESK,
    actor=ACTOR,
    idempotency_key="5e1f6f0c-28c4-4d0e-9a2b-7a3b1f0c9d03",
    command="configure",
    request_sha256=_DIGEST,
    at=at(-1_800),
    code="unknown_agent",
    sentence="rule messenger-deu names the agent minhh, who is not on the desk",
)


def _command(what: str, value: Route | SessionEnded, offset: int, seconds: float) -> Example:
    id_ = event_id("inbound", 5, offset, "intake", 1)
    kind = Kind("commands", what)
    return example(kind, value, key=DESK_KEY, source="tongdai/intake/5", id_=id_, time=at(seconds))


def _outcome(what: str, value: Done | Refused, offset: int) -> Example:
    id_ = event_id("commands", 3, offset, "desk", 9)
    kind = Kind("outcomes", what)
    return example(kind, value, key=value.actor, source="tongdai/desk/3", id_=id_, time=value.at)


EXAMPLES = (
    example(
        Kind("commands", "configure"),
        _CONFIGURE,
        key=DESK_KEY,
        source="tongdai/cli",
        id_=IDEMPOTENCY_KEY,
        time=at(-3_600),
    ),
    _command("route", _ROUTE, 1041, 0.2),
    _command("session_ended", _ENDED, 1042, 86_461),
    _outcome("done", _DONE, 0),
    _outcome("refused", _REFUSED, 1),
)
