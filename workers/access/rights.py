"""Which tables and topics each worker reads and writes. Tests run the workers with these rights alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from config.topics import (
    ACTIONS,
    ASSIGNMENTS,
    COMMANDS,
    DEADLETTER,
    INBOUND,
    MESSAGES,
    NOTIFICATIONS,
    OUTBOUND,
    OUTCOMES,
    RECEIPTS,
    ROSTER,
    Topic,
)

_LANES = ("lane", "pending", "published_ahead")
VERSION_TABLE = "alembic_version"
"""Read by every worker that has tables: whether the database is as new as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What one worker needs.

    Attributes:
        changes: tables that it reads and writes.
        adds: tables that it reads, and adds rows to, which it then cannot change.
        sees: tables that it only reads.
        sees_columns: columns that it only reads, by their table.
        reads, writes: topics.
        lanes: kinds of its lanes: each is a consumer group, and begins the names of its transactions.
        functions: of the database's owner, that it calls with his rights.
    """

    changes: tuple[str, ...] = ()
    adds: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    sees_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reads: tuple[Topic, ...] = ()
    writes: tuple[Topic, ...] = ()
    lanes: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()

    @property
    def uses_postgres(self) -> bool:
        """Whether it has anything to do with the database."""
        return bool(self.changes or self.sees)


_DESK = (
    *("desk_agent", "desk_conversation", "desk_department", "desk_gateway", "desk_outcome", "desk_pace"),
    *("desk_page", "desk_policy", "desk_presence", "desk_rule", "desk_timer"),
)
_INTAKE = (
    *("conversation", "customer", "held_reply", "intake_outcome", "message", "message_mark", "message_seen"),
    *("erasure", "session", "ticket", "ticket_line"),
)
_NOTIFIER = (
    "inbox",
    "inbox_counter",
    "notice",
    "notifier_conversation",
    "notifier_held",
    "notifier_recipient",
)
_WEBHOOKS = ("webhook_attempt", "webhook_endpoint", "webhook_position", "webhook_stuck")

WORKERS: dict[str, Rights] = {
    "ingress": Rights(
        # For visitors of websites, and replies to mails: webhooks need no database.
        changes=("file", "visit", "visit_ingress", "visitor_address"),
        sees=(
            *("conversation", "message", "page_registry", "phone_page"),
            *("address_block", "address_block_version"),
        ),
        # How answers fare, and where replies belong: not what is sent, nor to whom else.
        sees_columns={
            "delivery": ("workspace_id", "message_id", "state"),
            "outreach": (
                *("workspace_id", "key", "ticket", "ticket_id", "page_id", "message_id", "means", "number"),
                "written_at",
            ),
        },
        reads=(MESSAGES, RECEIPTS),
        writes=(DEADLETTER, INBOUND, RECEIPTS),
    ),
    "routing": Rights(
        # The last two only to erase customers.
        changes=(*_LANES, *_INTAKE, *_DESK, "file", "address_block", "visitor_address"),
        sees=("agent_registry", "delivery", "delivery_errand", "outreach", "page_registry"),
        reads=(ACTIONS, ASSIGNMENTS, COMMANDS, INBOUND),
        # What came to the wrong partition of an input goes back to the right one.
        writes=(ACTIONS, ASSIGNMENTS, COMMANDS, DEADLETTER, INBOUND, MESSAGES, OUTBOUND, OUTCOMES, ROSTER),
        lanes=("intake", "desk"),
        functions=("ensure_message_partitions(timestamptz, int)",),
    ),
    "notifier": Rights(
        changes=(*_LANES, *_NOTIFIER),
        sees=("message", "session"),
        reads=(ASSIGNMENTS, MESSAGES, RECEIPTS),
        writes=(DEADLETTER, NOTIFICATIONS),
        lanes=("notifier",),
    ),
    "delivery": Rights(
        changes=(*_LANES, "delivery", "delivery_app", "delivery_errand", "delivery_page", "file", "outreach"),
        sees=("conversation", "erasure", "mail_page", "page_registry", "phone_page", "quick_reply"),
        reads=(OUTBOUND, RECEIPTS),
        writes=(DEADLETTER, INBOUND, OUTBOUND, RECEIPTS),
        lanes=("delivery",),
    ),
    "gateway": Rights(
        changes=(
            *("address_block", "address_block_version", "delivery_errand", "file", "quick_reply"),
            *("agent_registry", "sign_in", "sign_in_attempt", *_WEBHOOKS),
        ),
        # What it has written there it cannot take back; what is old goes by the function.
        adds=("audit",),
        functions=("forget_audit()",),
        sees=(
            *("account", "service_token", "sign_in_network"),
            *("conversation", "customer", "delivery", "intake_outcome", "message", "message_mark", "session"),
            *("erasure", "page_registry", "ticket", "ticket_line", "visitor_address"),
            *("inbox", "inbox_counter", "notifier_conversation"),
            *_DESK,
        ),
        # Not the pages' tokens, though they are encrypted; nor what makes an e-mail a reply, nor numbers.
        sees_columns={
            "delivery_page": ("page_id", "paused", "paused_at"),
            "outreach": (
                *("workspace_id", "conversation_id", "message_id", "state", "reason", "changed_at"),
                *("duration_s", "content"),
            ),
        },
        reads=(MESSAGES, NOTIFICATIONS, OUTCOMES, RECEIPTS),
        writes=(ACTIONS, COMMANDS),
    ),
    "webhooks": Rights(
        changes=(*_WEBHOOKS, "webhook_worker"),
        reads=(ASSIGNMENTS, MESSAGES, ROSTER),
    ),
}
