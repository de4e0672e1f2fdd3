"""What is known of customers, in `customer`: read and written when something is said of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import orjson

from workers.routing.intake.conversation import Conversation
from workers.routing.intake.customer import PROFILE, Customer
from workers.runtime.handler import Connection

# LATERAL with LIMIT: one descent of the index for each, whatever the planner believes of the table's size.
LOAD = """
SELECT found.*
FROM unnest($1::text[], $2::uuid[]) AS wanted (workspace_id, customer_id)
CROSS JOIN LATERAL (
    SELECT customer_id, name, phone, email, birthday, gender, address, tags, groups, suggested_phone,
        picture, follows, referral, verified_phone
    FROM customer
    WHERE workspace_id = wanted.workspace_id AND customer_id = wanted.customer_id
    LIMIT 1
) AS found
"""
# The last conditions always hold. They let the planner expect few rows, so that it uses the index even when
# the plan was made while the table was empty.
STORE = """
UPDATE customer AS stored SET
    name = known.name, phone = known.phone, email = known.email, birthday = known.birthday,
    gender = known.gender, address = known.address, tags = known.tags, groups = known.groups,
    suggested_phone = known.suggested_phone, picture = known.picture, follows = known.follows,
    referral = known.referral, verified_phone = known.verified_phone
FROM json_to_recordset($1::json) AS known (
    workspace_id text, customer_id uuid, name text, phone text, email text, birthday date, gender text,
    address text, tags text[], groups text[], suggested_phone text, picture text, follows boolean,
    referral jsonb, verified_phone text)
WHERE stored.workspace_id = known.workspace_id AND stored.customer_id = known.customer_id
    AND known.workspace_id > '' AND known.customer_id >= '00000000-0000-0000-0000-000000000000'
    AND cardinality(known.tags) >= 0 AND cardinality(known.groups) >= 0
"""


async def load(connection: Connection, names: Collection[tuple[str, str]]) -> dict[str, Customer]:
    """The customers of `names` (workspace and conversation's id), by the conversation's id."""
    if not names:
        return {}
    rows = await connection.fetch(LOAD, *map(list, zip(*names, strict=True)))
    return {str(row["customer_id"]): _from_row(row) for row in rows}


async def store(connection: Connection, customers: Iterable[tuple[Conversation, Customer]]) -> None:
    """Write how customers stand now; each has its row."""
    rows = [
        {
            "workspace_id": conversation.workspace,
            "customer_id": conversation.id,
            **customer.profile,
            **{name: value for name, value in customer._asdict().items() if name != "profile"},
        }
        for conversation, customer in customers
    ]
    if rows:
        await connection.execute(STORE, orjson.dumps(rows).decode())


def _from_row(row: Mapping[str, Any]) -> Customer:
    profile = {name: str(row[name]) for name in PROFILE if row[name] is not None}
    referral = row["referral"] and orjson.loads(row["referral"])
    told = row["suggested_phone"], row["picture"], row["follows"], referral, row["verified_phone"]
    return Customer(profile, tuple(row["tags"]), tuple(row["groups"]), *told)
