"""The same person on another page, perhaps: a hint for people, who alone may say that it is one."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from workers.gateway.queries.queries import View, visible

LOOKED_AT_MAX = 20
SAME_PHONE = """
SELECT other.customer_id, other.page_id, coalesce(other.name, other.channel_name) AS name
FROM customer k
JOIN customer other ON other.workspace_id = $1 AND other.verified_phone = k.verified_phone
    AND other.page_id <> k.page_id
WHERE k.workspace_id = $1 AND k.customer_id = $2 AND k.verified_phone IS NOT NULL
ORDER BY other.created_at DESC LIMIT $3
"""


class Elsewhere(BaseModel):
    """A customer of another page whose channel vouches for the same phone number."""

    conversation: UUID
    page: str
    name: str | None


async def read_elsewhere(view: View, conversation: UUID) -> tuple[Elsewhere, ...]:
    """Those of whom who asks may see both, the last known first."""
    workspace = view.identity.workspace
    rows = await view.connection.fetch(SAME_PHONE, workspace, conversation, LOOKED_AT_MAX)
    seen = await visible(view, [row["customer_id"] for row in rows])
    return tuple(
        Elsewhere(conversation=row["customer_id"], page=row["page_id"], name=row["name"])
        for row in rows
        if row["customer_id"] in seen
    )
