"""The row of an e-mail, an SMS or a call that is asked for. Pure."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from schemas.base import rfc3339
from schemas.ids import ticket_id_text
from schemas.outbound import Call, Mail, Sms
from workers.channels.mail.address import ReplyAddresses


def row_of(
    lane: int, value: Mail | Sms | Call, addresses: ReplyAddresses | None, *, can_phone: bool
) -> dict[str, Any]:
    """As workers.channels.outreach.rows.enqueue stores it.

    Args:
        lane: in which it was asked for.
        value: what was.
        addresses: where replies to e-mails are to go; none: no such address is set.
        can_phone: whether there is an account at a provider.
    """
    ticket = UUID(ticket_id_text(str(value.conversation), value.ticket))
    match value:
        case Mail():
            # Signed once: every attempt has the same Message-ID.
            token = None if addresses is None else addresses.token(ticket, value.at)
            content = value.model_dump(include={"to", "subject", "text"})
            if value.attachments:
                content["files"] = [each.file for each in value.attachments]
            said = {"means": "mail", "token": token, "is_set": token is not None, "content": content}
        case Sms():
            content = value.model_dump(include={"to", "text"})
            said = {"means": "sms", "number": value.to, "is_set": can_phone, "content": content}
        case Call():
            content = value.model_dump(include={"to", "agent_phone"})
            said = {"means": "call", "is_set": can_phone, "content": content}
    return {
        **said,
        "workspace_id": value.workspace,
        "message_id": str(value.message),
        "desk_id": value.desk,
        "lane": lane,
        "conversation_id": str(value.conversation),
        "key": value.key,
        "page_id": value.page,
        "position": value.position,
        "sender": value.sender,
        "ticket": value.ticket,
        "ticket_id": str(ticket),
        "written_at": rfc3339(value.at),
    }
