"""What `tongdai access` writes: the rights that workers need, as SQL and as Kafka's commands."""

from __future__ import annotations

import re

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
from workers.local.crew.duties import DELIVERY, WEBHOOKS
from workers.notifier.handler import NotifierHandler
from workers.routing.desk.handler import DeskHandler
from workers.routing.intake import erasing
from workers.routing.intake.handler import IntakeHandler

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
        assert not set(rights.changes) & set(rights.sees)


@pytest.mark.parametrize(
    ("worker", "statements"),
    [
        ("routing", (*erasing.STATEMENTS, erasing.REMEMBER, erasing.OPEN, erasing.DONE)),
        ("delivery", (*at_delivery.STATEMENTS, at_delivery.OPEN, file_rows.ERASED_ONES, file_rows.FORGET)),
        ("gateway", (erasure.FIND,)),
    ],
)
def test_who_erases_may(worker: str, statements: tuple[str, ...]) -> None:
    """Erasing is seldom asked for: what it lacks would show late."""
    rights, text = WORKERS[worker], "\n".join(statements)
    tables = {each for one in WORKERS.values() for each in (*one.changes, *one.sees)}
    changed = set(re.findall(r"(?:UPDATE|INTO|DELETE FROM)\s+([a-z_]+)", text)) & tables
    read = set(re.findall(r"(?:FROM|JOIN|USING)\s+([a-z_]+)", text)) & tables
    assert changed or read
    assert changed <= set(rights.changes)
    assert read <= {*rights.changes, *rights.sees}


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
