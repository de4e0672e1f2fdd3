"""What becomes of each column that could say something of a customer when he is erased: decided for all.

Numbers, moments, UUIDs and yes or no are not listed. A column that is not here fails a test: decide on it.
"""

from __future__ import annotations

from collections.abc import Mapping

ERASED: Mapping[str, tuple[str, ...]] = {
    "address_block": ("reason",),
    "customer": (
        *("channel_name", "name", "phone", "email", "birthday", "gender", "address", "tags", "groups"),
        *("words", "suggested_phone", "picture", "referral", "verified_phone"),
    ),
    "delivery": ("content",),
    "delivery_errand": ("user_id", "place"),
    "file": ("url", "name"),
    "held_reply": ("action",),
    "message": ("body", "attachments", "params"),
    "message_mark": ("value",),
    "outreach": ("content", "number"),
    "ticket": ("subject", "fields"),
    "visitor_address": ("network",),
}
"""Taken away, by whoever owns the table."""

KEY: Mapping[str, tuple[str, ...]] = {
    "conversation": ("key",),
    "customer": ("user_id",),
    "delivery": ("key",),
    "desk_conversation": ("key",),
    "desk_timer": ("subject",),
    "outreach": ("key",),
    "visit": ("key",),
}
"""His id on the channel: the key of logs that are kept for ever, and a pseudonym. See docs/decisions/0016."""

PASSING: Mapping[str, tuple[str, ...]] = {
    "desk_outcome": ("outcome",),
    "intake_outcome": ("outcome",),
    "notifier_held": ("event",),
    "pending": ("events",),
}
"""Go by themselves: outcomes after a day, the others once the log has moved on."""

CHAIN: Mapping[str, tuple[str, ...]] = {
    "desk_conversation": (
        *("care", "standing", "holder", "rule_id", "facts", "reason", "outcome", "declined", "audience"),
        *("transfer", "followers", "admin_followers", "muted", "taken_from", "last_holder", "orders"),
        *("blocked_by", "blocked_reason"),
    ),
    "message": ("sender", "sender_id", "kind", "code", "channel_message_id"),
    "message_mark": ("channel_message_id", "mark"),
}
"""Says what happened, and why, as the events of assignments do: agents, rules, labels, ids of orders, states,
and the reason that an agent gave for keeping somebody out."""

OURS: Mapping[str, tuple[str, ...]] = {
    "account": ("login", "password_hash", "role"),
    "address_block": ("network", "blocked_by"),
    "alembic_version": ("version_num",),
    "audit": ("actor", "address", "call", "subject", "code"),
    "conversation": ("standing", "holder", "offer_rule"),
    "delivery": ("sender", "state", "reason", "ids", "heard"),
    "delivery_app": ("app",),
    "delivery_errand": ("what", "state", "reason", "asked_by"),
    "delivery_page": ("app", "access_token", "refresh_token", "too_long", "paused", "told_paused"),
    "desk_agent": ("definition",),
    "desk_department": ("definition",),
    "desk_gateway": ("gateway",),
    "desk_outcome": ("actor", "idempotency_key", "request_sha256"),
    "desk_page": ("definition",),
    "desk_policy": ("definition",),
    "desk_presence": ("presence", "gateways"),
    "desk_rule": ("rule_id", "definition", "ring", "cursor"),
    "desk_timer": ("timer",),
    "erasure": ("asked_by",),
    "file": ("owner", "state", "reason", "type", "media_type"),
    "held_reply": ("claim", "quoted"),
    "inbox_counter": ("place",),
    "intake_outcome": ("actor", "idempotency_key", "request_sha256"),
    "lane": ("kind", "next_offsets", "owner", "stopped", "log_ids"),
    "mail_page": ("host", "tls", "login", "address", "name", "language"),
    "notice": ("kind",),
    "notifier_conversation": ("holder", "standing", "care", "audience", "asked", "followers", "muted"),
    "notifier_recipient": ("holder", "agents"),
    "outreach": ("sender", "token", "state", "reason", "means", "provider_id"),
    "pending": ("kind", "next_offsets"),
    "phone_page": ("account", "number"),
    "published_ahead": ("kind", "event"),
    "quick_reply": ("reply_id", "type", "description", "body", "attachments", "ticket", "changed_by"),
    "service_token": ("service_id", "token_sha256", "scopes"),
    "session": ("ended_by",),
    "sign_in": ("login", "address", "ended_why"),
    "sign_in_attempt": ("subject",),
    "sign_in_network": ("network", "note"),
    "ticket": ("status", "changed_by"),
    "visit": ("ingress",),
    "visit_ingress": ("ingress",),
    "webhook_attempt": ("endpoint_id", "event_id", "event_type", "topic", "error"),
    "webhook_endpoint": (
        *("endpoint_id", "url", "description", "events", "state", "why", "created_by", "key_id", "salt"),
        *("former_key_id", "former_salt", "start"),
    ),
    "webhook_position": ("endpoint_id", "topic"),
    "webhook_stuck": ("endpoint_id", "topic"),
}
"""Of the company: its people, pages, settings and secrets; or a state, an id, a digest, a code of ours."""

IDS = frozenset({"workspace_id", "desk_id", "page_id", "agent_id", "department_id", "file_id"})
"""In whatever table: they name no customer."""

LISTED = """
SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid <> ALL (ARRAY[
        'int2', 'int4', 'int8', 'float8', 'bool', 'uuid', 'timestamptz', 'timestamp', 'int8[]',
        'timestamptz[]']::regtype[])
"""


def decided() -> list[tuple[str, str]]:
    """Table and column of all that is decided on, one as often as it is."""
    return [
        (table, column)
        for decision in (ERASED, KEY, PASSING, CHAIN, OURS)
        for table, columns in decision.items()
        for column in columns
    ]
