"""Every command beside servers that are not there, or not prepared: a sentence, and no traceback."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from aiokafka.errors import KafkaTimeoutError, TopicAuthorizationFailedError, UnknownTopicOrPartitionError
from sqlalchemy.exc import ProgrammingError

from config.errors import ConfigurationError, DependencyError, ExitCode
from tests.cli.command_line import commands
from tests.databases import new_database
from tests.delivery.ground import KEY
from workers.cli.exits import expected_error
from workers.cli.main import run

SAMPLE = str(Path(__file__).parents[2] / "workers" / "local" / "sample.yaml")
PAGE, SHOP, LETTER, BLOCK = "messenger:1", "acme", "0-0", str(UUID(int=1))
NOWHERE = "127.0.0.1:1"
OF_POSTGRES = {
    "accounts add": (SHOP, "lan", "--agent", "lan"),
    "accounts disable": (SHOP, "lan"),
    "accounts list": (SHOP,),
    "accounts network": (SHOP,),
    "accounts passwd": (SHOP, "lan"),
    "accounts token": (SHOP, "crm", "--scope", "messages"),
    "apply": (SAMPLE, "--yes"),
    "blacklist add": ("web:shop", "203.0.113.7"),
    "blacklist list": (PAGE,),
    "blacklist remove": (PAGE, BLOCK),
    "erase": ("messenger:1:u", "--workspace", SHOP),
    "export": (SHOP,),
    "history fetch": (PAGE,),
    "history list": (PAGE,),
    "history stop": (PAGE,),
    "pages connect": (PAGE, "--token", "env:PASSWORD"),
    "pages list": (),
    "pages mail": (PAGE, "--host", "h", "--address", "a@shop.example", "--name", "Shop"),
    "pages phone": (PAGE, "--account", "main", "--number", "+842812345678"),
    "pages release": (PAGE, "--yes"),
    "pages set": (PAGE, "--pays"),
    "recover": (),
    "webhooks add": (SHOP, "crm", "https://example.com/"),
    "webhooks attempts": (SHOP, "crm"),
    "webhooks list": (SHOP,),
    "webhooks pause": (SHOP, "crm"),
    "webhooks remove": (SHOP, "crm"),
    "webhooks replay": (SHOP, "crm", "--from", "beginning"),
    "webhooks resume": (SHOP, "crm"),
    "webhooks rotate": (SHOP, "crm"),
    "webhooks test": (SHOP, "crm"),
}
OF_KAFKA = {
    "connector check": (),
    "deadletter list": (),
    "deadletter replay": (LETTER, "--yes"),
    "deadletter show": (LETTER,),
    "explain": ("messenger:1:u",),
    "lag": (),
    "tail": ("assignments",),
    "topics apply": (),
    "whatif": ("--rules", SAMPLE),
    "worker delivery": (),
    "worker gateway": (),
    "worker notifier": (),
    "worker routing": (),
    "worker webhooks": (),
}
OTHERS = {"migrate"} | {
    # ask no server
    *("access kafka", "access postgres", "config show", "gateway openapi", "schema export", "topics list"),
    # bring their servers, or wait for them
    *("demo", "up", "faults run", "worker ingress", "mail"),
}


Tongdai = Callable[[str], tuple[int, str]]
ASKED = {**OF_POSTGRES, **OF_KAFKA, "migrate": ()}


@pytest.fixture
def tongdai(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Tongdai]:
    """Call a command where nothing listens; gives exit code and stderr."""
    monkeypatch.setattr("sys.stdin", StringIO("a long password of nobody\n"))
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "TONGDAI_KAFKA_BOOTSTRAP_SERVERS": NOWHERE,
        "TONGDAI_POSTGRES_DSN": f"postgresql://tongdai:tongdai@{NOWHERE}/tongdai",
        "TONGDAI_RUNTIME_DEPENDENCY_START_TIMEOUT_S": "0.2",
        "TONGDAI_DELIVERY_KEYS": KEY,
        "TONGDAI_PHONE_ACCOUNTS": '[{"name":"main","url":"https://p.example","token":"t","callback_key":"0123456789abcdef0123456789abcdef"}]',
        "PASSWORD": "a long password of nobody",
    }.items():
        monkeypatch.setenv(name, value)

    def call(command: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as exited:
            run([*command.split(), *ASKED[command]])
        return int(exited.value.code or 0), capsys.readouterr().err

    thresholds = gc.get_threshold()
    yield call
    gc.unfreeze()  # workers were begun in this process, which is none
    gc.set_threshold(*thresholds)


def test_every_command_is_tried_here() -> None:
    tried = {name for name in commands() if not name.startswith("bench ")}
    assert tried == {*ASKED, *OTHERS}


@pytest.mark.parametrize("command", sorted(ASKED))
def test_where_nothing_listens_a_command_says_so(command: str, tongdai: Tongdai) -> None:
    code, err = tongdai(command)
    said = "\ntongdai: " in f"\n{err}"
    assert (code, said, "Traceback" in err) == (ExitCode.DEPENDENCY, True, False), err


@pytest.mark.servers
@pytest.mark.parametrize("command", sorted(OF_POSTGRES))
def test_in_a_database_without_tables_a_command_says_what_to_do(
    command: str, tongdai: Tongdai, monkeypatch: pytest.MonkeyPatch, without_tables: str
) -> None:
    monkeypatch.setenv("TONGDAI_POSTGRES_DSN", without_tables)
    code, err = tongdai(command)
    assert (code, "tongdai migrate" in err, "Traceback" in err) == (ExitCode.DEPENDENCY, True, False), err


@pytest.fixture(scope="module")
def without_tables(postgres_dsn: str) -> Iterator[str]:
    """A database in which nobody has made anything."""
    with new_database(postgres_dsn) as dsn:
        yield dsn


def postgres(code: str) -> Exception:
    """As the server tells it."""
    error: Exception = asyncpg.PostgresError.new({"S": "ERROR", "C": code, "M": "permission denied for x"})
    return error


class PsycopgError(Exception):
    """As the other client tells it."""

    sqlstate = "42501"


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (postgres("42501"), ConfigurationError, "permission denied for x.*TONGDAI_POSTGRES_DSN"),
        (ProgrammingError("s", None, PsycopgError("no")), ConfigurationError, "may not do this"),
        (postgres("42P01"), DependencyError, "tongdai migrate"),
        (postgres("57014"), DependencyError, "too slow"),
        (postgres("55P03"), DependencyError, "too slow"),
        (postgres("57P01"), DependencyError, "cannot be reached"),
        (postgres("25006"), DependencyError, "cannot be reached"),
        (asyncpg.InterfaceError("connection is closed"), DependencyError, "connection is closed"),
        (TimeoutError(), DependencyError, "in time.*repeat"),
        (KafkaTimeoutError(), DependencyError, "KafkaTimeoutError.*see that it runs"),
        (UnknownTopicOrPartitionError(), DependencyError, "tongdai topics apply"),
        (TopicAuthorizationFailedError("t"), ConfigurationError, "tongdai access kafka"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_servers_refuse_is_told_with_what_to_do(
    error: Exception, kind: type[Exception], says: str
) -> None:
    expected = expected_error(error)
    assert isinstance(expected, kind)
    assert re.search(says, str(expected))


@pytest.mark.parametrize(
    "error", [postgres("23505"), postgres("42601"), asyncpg.DataError("a name"), OSError()]
)
def test_what_our_own_mistakes_make_of_servers_stays_unforeseen(error: Exception) -> None:
    assert expected_error(error) is None


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("explain", "foo"), "'foo' is no conversation's key"),
        (("explain", "messenger::u"), "channel:account:user"),
        (("apply", "absent.yaml", "--yes"), "absent.yaml cannot be read: No such file or directory\n"),
    ],
)
def test_what_can_be_seen_without_a_server_waits_for_none(
    command: tuple[str, ...], says: str, tongdai: Tongdai, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ASKED, command[0], command[1:])
    code, err = tongdai(command[0])
    assert code in {ExitCode.USAGE, ExitCode.CONFIGURATION}
    assert says in err


@pytest.mark.parametrize("profile", ["local", "production"])
def test_the_demo_writes_into_named_servers_only_when_told(
    profile: str, tongdai: Tongdai, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TONGDAI_PROFILE", profile)
    monkeypatch.setitem(ASKED, "demo", ("--agents", "0"))
    code, err = tongdai("demo")
    assert (code, "say --on-named-servers, or --local" in err) == (ExitCode.USAGE, True), err


def test_who_listens_says_so_once_he_does(tongdai: Tongdai) -> None:
    assert "Listening" not in tongdai("connector check")[1]
