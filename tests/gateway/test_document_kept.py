"""The gateway answers whatever its OpenAPI document permits, and what it does not, as the document says.

`API_EXAMPLES=200` asks longer, `API_SEED=7` something else.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as how
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config.settings import Settings
from tests.gateway.document import DOCUMENT
from tests.gateway.ground import PEOPLE, SHOP, customer_writes, gateway, shop, sign_in
from tests.waiting import until
from workers.gateway.service_tokens import add_service_token

EXAMPLES = int(os.environ.get("API_EXAMPLES", "3"))
SEED = int(os.environ.get("API_SEED", "1"))
NEVER_ENDS = {"/api/v1/events"}
CHECKS: list[CheckFunction] = [
    schemathesis.checks.not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


class Asked(NamedTuple):
    """By whom, and about what."""

    tokens: Sequence[str]
    known: Mapping[str, Sequence[str]]
    """Values of path parameters that stand for something."""


def ask(url: str, operation: APIOperation[Any, Any, Any, Any], asked: Asked) -> None:
    """Ask an operation in many ways, right and wrong. Raises what a check has found."""
    session = requests.Session()
    modes = [operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)]
    # What cannot be asked wrongly has no strategy of that kind.
    cases = st.one_of(*[mode for mode in modes if not mode.is_empty])

    @seed(SEED)
    @how(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, st.sampled_from(asked.tokens), st.data())
    def once(case: Case[Any], token: str, data: st.DataObject) -> None:
        for name in set(case.path_parameters or ()) & asked.known.keys():
            if data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(asked.known[name]))
        named = {"authorization": f"Bearer {token}"} if token else {}
        case.validate_response(case.call(base_url=url, session=session, headers=named), checks=CHECKS)

    once()


def ask_all(url: str, asked: Asked) -> list[str]:
    """Ask every operation of the document. Returns what is wrong, in words."""
    wrong = []
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations():
        if isinstance(found, Err):
            wrong.append(str(found.err()))
            continue
        operation = found.ok()
        try:
            if operation.path not in NEVER_ENDS:
                ask(url, operation, asked)
        except (Exception, FailureGroup) as error:  # noqa: BLE001 - of whatever kind: it is told
            wrong.append(f"{operation.label}: {error!r}\n{error}")
    return wrong


@pytest.mark.servers
# The gateway, in another thread of this process, may use it meanwhile.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
@pytest.mark.timeout(240 + EXAMPLES * 20)
async def test_every_answer_is_one_that_the_document_names(
    settings: Settings, topics: dict[str, str]
) -> None:
    async with shop(settings) as database:
        conversations = [await customer_writes(settings, topics, user) for user in ("u1", "u2")]
        conversations.append(await customer_writes(settings, topics, "u3", "2"))
        for each in conversations:
            await until(database, "SELECT FROM desk_conversation WHERE conversation_id = $1", each)
        scopes = ["messages", "customers", "conversations", "roster"]
        tokens = ["", await add_service_token(database, SHOP, "crm", scopes, None)]
        generous = {"agent_rate_per_s": 1e6, "address_rate_per_s": 1e6}
        async with gateway(settings, outcome_deadline_s=2, **generous) as http:
            tokens += [(await sign_in(http, who)).token for who in ("lan", "ha", "chu")]
            known = {"conversation": [str(each) for each in conversations], "agent": list(PEOPLE)}
            wrong = await asyncio.to_thread(ask_all, str(http.base_url), Asked(tokens, known))
    assert not wrong, "\n\n".join(wrong)
