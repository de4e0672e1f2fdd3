"""What the command line and our workers ask of a desk (commands), and what became of it (outcomes)."""

from __future__ import annotations

from hashlib import sha256

from schemas.commands import (
    Command,
    Configure,
    HistoryKept,
    OutsideAnswer,
    Route,
    SessionEnded,
    SessionSilent,
    TimerFired,
    Touched,
    Vacate,
)
from schemas.envelope import Kind
from schemas.ids import event_id
from schemas.outcomes import Done, Refused
from workers.contract.examples.example import Example, at, example
from workers.contract.examples.people import (
    ACTOR,
    CLAIM_RULE,
    CLAIMED_KEY,
    CONVERSATION,
    DESK,
    DESK_KEY,
    IDEMPOTENCY_KEY,
    KEY,
    LAN,
    MINH,
    PAGE,
    POLICY,
    RULE,
    SAIGON,
    SALES,
    WORKSPACE,
    ZALO,
    ZALO_PAGE,
    conversation_of,
)

_CONFIGURE = Configure(
    workspace=WORKSPACE,
    desk=DESK,
    actor=ACTOR,
    idempotency_key=IDEMPOTENCY_KEY,
    agents=(LAN, MINH),
    departments=(SALES,),
    pages=(SAIGON, ZALO),
    rules=(RULE, CLAIM_RULE),
    policy=POLICY,
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
_CLAIMED = {
    "workspace": WORKSPACE,
    "desk": DESK,
    "conversation": conversation_of(CLAIMED_KEY),
    "key": CLAIMED_KEY,
    "session": 1,
}
_TOUCHED = Touched(**_CLAIMED, position=4, by="customer", tags=("khach-quen",))
_SILENT = SessionSilent(**_CLAIMED, position=9)
_OUTSIDE = OutsideAnswer(
    workspace=WORKSPACE,
    desk=DESK,
    conversation=CONVERSATION,
    key=KEY,
    position=4,
    session=1,
    sender_id="26390203743090",
)
_HISTORY = HistoryKept(**_CLAIMED, position=11, page=ZALO_PAGE, answered=True)
_TIMER = TimerFired(workspace=WORKSPACE, desk=DESK, timer="transfer", subject=CLAIMED_KEY, due_at=at(720))
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
        "pages": {"added": 2, "changed": 0, "removed": 0},
        "rules": {"added": 2, "changed": 0, "removed": 0},
    },
)
_VACATE = Vacate(
    workspace=WORKSPACE,
    desk=DESK,
    leaving={"minh": "on_leave"},
    then="next",
    at=at(729),
    by=ACTOR,
    command=IDEMPOTENCY_KEY,
)
_REFUSED = Refused(
    workspace=WORKSPACE,
    desk=DESK,
    actor=ACTOR,
    idempotency_key="5e1f6f0c-28c4-4d0e-9a2b-7a3b1f0c9d03",
    command="appoint",
    request_sha256=_DIGEST,
    at=at(-1_800),
    conversation=CONVERSATION,
    code="unknown_agent",
    sentence="the desk has no agent minhh",
)


def _command(what: str, value: Command, offset: int, seconds: float, worker: str = "intake/5") -> Example:
    id_ = event_id("inbound", 5, offset, worker.partition("/")[0], 1)
    kind = Kind("commands", what)
    return example(kind, value, key=DESK_KEY, source=f"tongdai/{worker}", id_=id_, time=at(seconds))


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
    _command("touched", _TOUCHED, 1_066, 480),
    _command("session_silent", _SILENT, 1_067, 2_700),
    _command("outside_answer", _OUTSIDE, 1_061, 90.2),
    _command("history_kept", _HISTORY, 1_070, 95),
    _command("timer_fired", _TIMER, 275, 720, "desk/3"),
    _command("vacate", _VACATE, 276, 730, "desk/3"),
    _outcome("done", _DONE, 0),
    _outcome("refused", _REFUSED, 1),
)
