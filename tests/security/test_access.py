"""What `tongdai access` writes: the rights that workers need, as SQL and as Kafka's commands."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from config.errors import ExitCode
from config.topics import CATALOGUE
from workers.access.kafka_acls import Acl, acls, command
from workers.access.postgres_grants import grants
from workers.access.rights import WORKERS
from workers.channels.delivery import erasing as at_delivery
from workers.channels.delivery.handler import DeliveryHandler
from workers.cli.main import run
from workers.files import rows as file_rows
from workers.gateway import erasure
from workers.gateway.audit import FORGET
from workers.local.crew.duties import DELIVERY, WEBHOOKS
from workers.notifier.handler import NotifierHandler
from workers.routing.desk.handler import DeskHandler
from workers.routing.intake import erasing
from workers.routing.intake.handler import IntakeHandler

OF_OPERATORS = {"workers.gateway.accounts", "workers.gateway.service_tokens"}
"""What they hold is for `tongdai accounts`, too, which is the owner's."""
NARROW = {
    "gateway": (
        ("workers.gateway", "workers.webhooks.administering"),
        40,
        (
            *("DELETE FROM audit", "UPDATE audit SET code = ''", "TRUNCATE audit"),
            *("SELECT token FROM outreach", "SELECT number FROM outreach", "SELECT * FROM outreach"),
        ),
    ),
    "ingress": (
        ("workers.channels.website", "workers.channels.outreach.places"),
        12,
        (
            *("SELECT content FROM delivery", "SELECT content FROM outreach", "SELECT token FROM outreach"),
            *("SELECT * FROM delivery", "SELECT sender FROM outreach"),
        ),
    ),
}
"""Where their statements are, how many of them can be tried at least, and what is not theirs."""
OLD_AUDIT = """
INSERT INTO audit (workspace_id, at, actor, address, call, subject, code)
SELECT 'acme', now() - n * interval '100 days', '', '', '', '', '' FROM generate_series(1, 4) n
"""

HANDLERS = {
    "routing": (IntakeHandler, DeskHandler),
    "notifier": (NotifierHandler,),
    "delivery": (DeliveryHandler,),
}


@pytest.mark.parametrize("worker", HANDLERS)
def test_a_worker_with_lanes_reads_their_inputs_and_no_other_topic(worker: str) -> None:
    handlers, rights = HANDLERS[worker], WORKERS[worker]
    assert {topic.name for topic in rights.reads} == {name for each in handlers for name in each.inputs}
    assert rights.lanes == tuple(each.kind for each in handlers)


def test_every_worker_has_its_rights_and_none_all() -> None:
    assert set(WORKERS) == {"ingress", "routing", "notifier", "gateway", DELIVERY, WEBHOOKS}
    for rights in WORKERS.values():
        assert set(rights.writes) < set(CATALOGUE)
        kinds = rights.changes, rights.adds, rights.sees, tuple(rights.sees_columns)
        assert len(set().union(*kinds)) == sum(map(len, kinds))


@pytest.mark.parametrize(
    ("worker", "statements"),
    [
        ("routing", (*erasing.STATEMENTS, erasing.REMEMBER, erasing.OPEN, erasing.TAKEN)),
        ("routing", (erasing.WAITING, erasing.DONE)),
        ("delivery", (*at_delivery.STATEMENTS, at_delivery.OPEN, file_rows.ERASED_ONES, file_rows.FORGET)),
        ("delivery", (file_rows.UNUSED,)),
        ("gateway", (erasure.FIND,)),
    ],
)
def test_who_erases_may(worker: str, statements: tuple[str, ...]) -> None:
    """Erasing is seldom asked for: what it lacks would show late."""
    rights, text = WORKERS[worker], "\n".join(statements)
    tables = {each for one in WORKERS.values() for each in (*one.changes, *one.adds, *one.sees)}
    changed = set(re.findall(r"(?:UPDATE|INTO|DELETE FROM)\s+([a-z_]+)", text)) & tables
    read = set(re.findall(r"(?:FROM|JOIN|USING)\s+([a-z_]+)", text)) & tables
    assert changed or read
    assert changed <= set(rights.changes)
    assert read <= {*rights.changes, *rights.sees, *rights.sees_columns}


def statements_of(text: str) -> Iterator[str]:
    """One after the other, as psql sends them: each ends with a semicolon that no dollar quotes hold."""
    part = ""
    for line in text.splitlines(keepends=True):
        part += line
        if line.rstrip().endswith(";") and part.count("$$") % 2 == 0:
            yield part
            part = ""
    assert not part.strip()


@pytest.mark.servers
async def test_a_worker_beside_it_keeps_its_rights_while_they_are_given_again(database: str) -> None:
    prefix = f"t{uuid4().hex[:12]}"
    owner, beside = await asyncpg.connect(database), await asyncpg.connect(database)
    try:
        await owner.execute(grants(prefix))
        await beside.execute(f"SET ROLE {prefix}_routing")
        for statement in statements_of(grants(prefix)):
            await owner.execute(statement)
            await beside.execute("DELETE FROM message_seen WHERE workspace_id IS NULL")
    finally:
        await beside.close()
        roles = [f"{prefix}_{worker}" for worker, rights in WORKERS.items() if rights.uses_postgres]
        await owner.execute(f"DROP OWNED BY {', '.join(roles)}")
        await owner.execute(f"DROP ROLE {', '.join(roles)}")
        await owner.close()


def statements_in(package: str) -> Iterator[tuple[str, str]]:
    """What stands in its modules, each with where."""
    root = import_module(package)
    found = pkgutil.walk_packages(root.__path__, f"{package}.") if hasattr(root, "__path__") else ()
    for name in (package, *(one.name for one in found)):
        for constant, value in vars(import_module(name)).items():
            if isinstance(value, str) and re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", value):
                yield f"{name}.{constant}", value


async def explained(connection: asyncpg.Connection[Any], packages: Sequence[str]) -> int:
    """How many statements of these packages are whole by themselves; each of them is one's to execute."""
    count = 0
    for package in packages:
        for place, statement in statements_in(package):
            if place.rpartition(".")[0] in OF_OPERATORS:
                continue
            try:
                await connection.execute(f"EXPLAIN (GENERIC_PLAN) {statement}")
                count += 1
            except asyncpg.InsufficientPrivilegeError as error:
                pytest.fail(f"{place}: {error}")
            except asyncpg.PostgresError:
                continue  # part of another one, or its types are not known without its values
    return count


@pytest.mark.servers
async def test_gateway_and_ingress_may_execute_their_statements_and_see_no_more(database: str) -> None:
    prefix = f"t{uuid4().hex[:12]}"
    owner = await asyncpg.connect(database)
    try:
        await owner.execute(grants(prefix))
        for worker, (packages, least, forbidden) in NARROW.items():
            await owner.execute(f"SET ROLE {prefix}_{worker}")
            assert await explained(owner, packages) >= least, worker
            for statement in forbidden:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await owner.execute(statement)
            await owner.execute("RESET ROLE")
        await owner.execute(OLD_AUDIT)
        await owner.execute(f"SET ROLE {prefix}_gateway")
        assert [await owner.fetchval(FORGET) for _ in range(2)] == [3, 0]
        assert await owner.fetchval("SELECT count(*) FROM audit") == 1
        await owner.execute(f"SET ROLE {prefix}_routing")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute(FORGET)
    finally:
        await owner.execute("RESET ROLE")
        roles = [f"{prefix}_{worker}" for worker, rights in WORKERS.items() if rights.uses_postgres]
        await owner.execute(f"DROP OWNED BY {', '.join(roles)}")
        await owner.execute(f"DROP ROLE {', '.join(roles)}")
        await owner.close()


def test_an_access_control_list_is_a_command_of_kafka_s_own() -> None:
    said = command(Acl("tongdai-routing", "Write", "transactional-id", "tongdai.desk.", prefixed=True))
    assert said.endswith(
        "--add --allow-principal 'User:tongdai-routing' --operation Write"
        " --transactional-id 'tongdai.desk.' --resource-pattern-type prefixed"
    )
    lines = [command(acl) for acl in acls("tongdai", "tongdai")]
    assert len(lines) == len(set(lines))
    assert not [line for line in lines if "'*'" in line or "--operation All" in line]


def test_both_are_printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONGDAI_KAFKA_TOPIC_PREFIX", "shop")

    def printed(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as exited:
            run(("access", *arguments))
        return int(exited.value.code or 0), capsys.readouterr().out

    assert printed("postgres", "--prefix", "fort") == (0, grants("fort"))
    code, told = printed("kafka")
    assert code == 0
    assert "--operation Write --topic 'shop.inbound.v1'" in told
    # A name goes into SQL and into a shell's line as it is.
    assert printed("postgres", "--prefix", "x'; DROP TABLE lane; --")[0] == ExitCode.USAGE
