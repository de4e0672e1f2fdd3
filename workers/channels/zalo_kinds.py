"""The kinds of events that Zalo documents, by their `event_name`.

Source: Zalo Official Account OpenAPI, webhook events.
"""

from __future__ import annotations

from typing import Literal

from schemas.receipts import ArrivalState

USER_SEND = "user_send_"
OA_SEND = "oa_send_"

_USER_KINDS = (
    "text",
    "image",
    "sticker",
    "location",
    "file",
    "link",
    "audio",
    "video",
    "gif",
    "business_card",
)
_OA_KINDS = ("text", "image", "gif", "list", "file", "sticker", "template")
_GROUP_KINDS = tuple(what for what in _USER_KINDS if what != "location")

USER_MESSAGES = frozenset(USER_SEND + what for what in _USER_KINDS)
OA_MESSAGES = frozenset(OA_SEND + what for what in _OA_KINDS)

ARRIVALS: dict[str, ArrivalState] = {"user_received_message": "delivered", "user_seen_message": "read"}
"""What has reached a customer, or what he has read."""

REACTIONS: dict[str, Literal["customer", "page"]] = {
    "user_reacted_message": "customer",
    "oa_reacted_message": "page",
}
FOLLOWS = {"follow": True, "unfollow": False}
SUBMITTED = "user_submit_info"
"""A customer has filled in the form that asked him for his name and phone."""
FROM_OA = {"oa_reacted_message", "oa_call_user", *ARRIVALS}
"""Events beside messages whose `sender` is the account."""

OTHER_EVENTS = frozenset(
    {
        "oa_call_user",
        *(f"anonymous_send_{what}" for what in _USER_KINDS),
        *(f"oa_send_anonymous_{what}" for what in _USER_KINDS),
        *(f"user_send_group_{what}" for what in _GROUP_KINDS),
        *(f"oa_send_group_{what}" for what in _GROUP_KINDS),
        "update_user_info",
        "user_withdraw",
        "user_click_chatnow",
        "user_click_button",
        "user_click_response_button",
        "user_feedback",
        "user_asking_product",
        "shop_has_order",
        "add_user_to_tag",
        "remove_user_from_tag",
        "remove_tag",
        "oa_send_consent",
        "user_reply_consent",
        "user_call_oa",
        "widget_interaction_accepted",
        "widget_failed_to_sync_user_external_id",
        "create_group",
        "delete_group",
        "update_group_info",
        "add_group_admin",
        "remove_group_admin",
        "user_join_group",
        "user_out_group",
        "user_request_join_group",
        "accept_request_join_group",
        "reject_request_join_group",
        "extension_purchased",
        "permission_revoked",
        "change_oa_daily_quota",
        "change_oa_template_tags",
        "change_template_quality",
        "change_template_quota",
        "change_template_status",
        "event_journey_acknowledged",
        "event_journey_time_out",
    }
)
"""Documented kinds that nothing reads yet."""

KINDS = (
    USER_MESSAGES
    | OA_MESSAGES
    | OTHER_EVENTS
    | {SUBMITTED}.union(ARRIVALS.keys(), REACTIONS.keys(), FOLLOWS.keys())
)
