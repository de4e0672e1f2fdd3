"""The care status: what people may make of it by hand, and what follows from that by itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from schemas.asks import SetCare
from schemas.assignments import CareChanged, CareStatus, DoneOutcome
from schemas.definitions import Policy
from workers.routing.desk.access import administers, holds
from workers.routing.desk.appointing import not_holder
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.dealing import drain, reassign
from workers.routing.desk.decision import Draft
from workers.routing.desk.handing import held, overtake_transfer, take
from workers.routing.desk.orders import order_required, unmet
from workers.routing.outcomes import Refusal, Result

BY_HAND: Mapping[CareStatus, tuple[CareStatus, ...]] = MappingProxyType(
    {
        "new": (),
        "waiting": (),
        "accepted": ("pending_close", "closed_won", "refused"),
        "pending_close": ("closed_won", "refused"),
        "closed_won": ("done", "refused"),
        "done": (),
        "refused": (),
    }
)
"""To which care statuses its holder or the page's admin may bring a conversation from each. All others come
by themselves: `accepted` with an agent, `waiting` without one. `refused` is recorded and left at once."""
OUTCOMES: tuple[DoneOutcome, ...] = ("won", "dead_end")


def by_hand(care: CareStatus, policy: Policy) -> tuple[CareStatus, ...]:
    """Where one may go from `care`: the policy may allow `done` earlier, and never forbids it."""
    allowed = BY_HAND[care]
    return allowed if care not in policy.done_from or "done" in allowed else (*allowed, "done")


def set_care(draft: Draft, conversation: Conversation, command: SetCare) -> Refusal | Result:
    """Change it by hand."""
    if not holds(command, conversation) and not administers(draft.desk, command, conversation.page):
        return not_holder(draft.desk, conversation, command, instead="set_care")
    refusal = _refusal(draft.desk.roster.policy, conversation, command)
    if refusal is not None:
        return refusal
    if command.care in ("done", "refused"):
        conversation = overtake_transfer(draft, conversation)
    lacking = unmet(draft.desk.roster.policy, conversation, command.care)
    changed = _change(draft, conversation, command)
    if command.care == "refused":
        next_round = changed._replace(round=changed.round + 1)
        reassign(draft, take(draft, next_round, "refused", command))
        drain(draft)
    now = draft.desk.conversations[conversation.key]
    warned = {"warning": "order_required"} if lacking == "warn" else {}
    return held(now) | {"care": now.care, "round": now.round} | warned


def _change(draft: Draft, conversation: Conversation, command: SetCare) -> Conversation:
    return draft.tell(
        CareChanged,
        conversation,
        care=command.care,
        former_care=conversation.care,
        reason=command.reason,
        outcome=command.outcome,
        by=command.actor,
        command=command.idempotency_key,
    )


def _refusal(policy: Policy, conversation: Conversation, command: SetCare) -> Refusal | None:
    allowed = by_hand(conversation.care, policy)
    if command.care not in allowed:
        sentence = f"from {conversation.care!r} nobody can make it {command.care!r}"
        return Refusal("bad_transition", sentence, allowed=allowed, details={"care": conversation.care})
    refusal = _bad_reason(policy, command) or _bad_outcome(command)
    if refusal is None and unmet(policy, conversation, command.care) == "require":
        return order_required(conversation, command.care)
    return refusal


def _bad_reason(policy: Policy, command: SetCare) -> Refusal | None:
    if command.reason is None and command.care != "refused":
        return None
    reasons = [reason.id for reason in policy.reasons if reason.care == command.care]
    if command.reason in reasons:
        return None
    if not reasons and command.care != "refused":
        have = tuple(dict.fromkeys(reason.care for reason in policy.reasons))
        return Refusal("bad_transition", f"{command.care!r} has no reasons: leave it out", allowed=have)
    given = "a reason" if command.reason is None else f"another reason than {command.reason!r}"
    sentence = f"{command.care!r} needs {given}: one of the workspace's own"
    return Refusal("reason_required", sentence, allowed=tuple(reasons))


def _bad_outcome(command: SetCare) -> Refusal | None:
    if command.care == "done" and command.outcome is None:
        return Refusal("reason_required", "'done' needs its outcome", allowed=OUTCOMES)
    if command.care != "done" and command.outcome is not None:
        return Refusal("bad_transition", f"{command.care!r} has no outcome", allowed=("done",))
    return None
