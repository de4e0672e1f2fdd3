"""Who works before the gateway: agents who share one rule, outsiders, and one who works beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import uuid4

from bench.roster import DESK, WORKSPACE, register_pages
from bench.workload import PAGES
from config.settings import Settings
from schemas.definitions import Agent, Page, Rule
from workers.gateway.accounts import Account, add_account
from workers.gateway.sign_in import BEGIN
from workers.gateway.tokens import Tokens
from workers.runtime.handler import Connection
from workers.workspace.command_writer import configure_command, send
from workers.workspace.workspace import DeskRoster

FREE, BESIDE, OUTSIDE = PAGES
"""Everybody's page, the page of the one beside them, the outsiders'."""
OWNER, STEADY, RULE = "owner", "steady", "free"
OUTSIDERS = tuple(f"outsider-{number:02}" for number in range(20))
SIGNING_KEY = "a key of the benchmark, which nobody else has"
TOKEN_S = 3_600.0

_MORE_ACCOUNTS = """
INSERT INTO account (workspace_id, login, password_hash, role, agent_id)
SELECT $1, agent, password_hash, 'agent', agent FROM account, unnest($3::text[]) AS agent
WHERE workspace_id = $1 AND login = $2
"""


class Person(NamedTuple):
    """Somebody with an access token."""

    name: str
    token: str


class People(NamedTuple):
    """Everybody who connects."""

    agents: list[Person]
    outsiders: list[Person]
    steady: Person


async def hire(settings: Settings, connection: Connection, agents: int) -> People:
    """Configure the desk, and let everybody be signed in.

    A password takes a tenth of a second, which is its purpose: one account's is hashed, the others have the
    same hash, and their sign-ins are begun by the gateway's own statement, with tokens by its own code.
    """
    await register_pages(connection)
    names = [f"agent-{number:04}" for number in range(agents)]
    everybody = [*names, *OUTSIDERS, STEADY]
    await send(settings, [configure_command(WORKSPACE, _roster(names), "cli:bench")])
    signed_in = {one.name: one for one in await open_accounts(connection, everybody)}
    return People(
        [signed_in[name] for name in names], [signed_in[name] for name in OUTSIDERS], signed_in[STEADY]
    )


async def open_accounts(connection: Connection, names: Sequence[str]) -> list[Person]:
    """Give the owner and these agents accounts, and sign the agents in."""
    await add_account(
        connection, WORKSPACE, Account(OWNER, "page_admin", OWNER, active=True), "tong dai 1080"
    )
    await connection.execute(_MORE_ACCOUNTS, WORKSPACE, OWNER, names)
    return await _sign_in(connection, names)


def _roster(names: Sequence[str]) -> DeskRoster:
    def rule(id_: str, page: str, agents: Sequence[str]) -> Rule:
        method = "round_robin" if id_ == STEADY else "self_claim"
        return Rule(id=id_, name=id_, owner=OWNER, pages=(page,), agents=tuple(agents), method=method)

    agents = (OWNER, *names, *OUTSIDERS, STEADY)
    return DeskRoster(
        id=DESK,
        agents=tuple(Agent(id=agent, name=agent) for agent in agents),
        departments=(),
        pages=tuple(Page(id=page, name=page, admins=(OWNER,)) for page in PAGES),
        rules=(
            rule(RULE, FREE, names),
            rule(STEADY, BESIDE, (STEADY,)),
            rule("outside", OUTSIDE, OUTSIDERS),
        ),
    )


async def _sign_in(connection: Connection, names: Sequence[str]) -> list[Person]:
    tokens = Tokens(SIGNING_KEY, access_s=TOKEN_S, refresh_s=TOKEN_S)
    until = datetime.now(UTC) + timedelta(seconds=TOKEN_S)
    sign_ins = [(WORKSPACE, uuid4(), name, "127.0.0.1", until) for name in names]
    await connection.executemany(BEGIN, sign_ins)
    return [Person(name, tokens.access(WORKSPACE, name, id_)) for _, id_, name, *_ in sign_ins]
