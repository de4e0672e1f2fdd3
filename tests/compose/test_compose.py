"""docker-compose.yml and the Dockerfile: valid by the official schema, and by our own CLI and settings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from config.settings import load_settings
from tests.cli.command_line import parse, workers

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((Path(__file__).parent / "data" / "compose-spec.json").read_text(encoding="utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("tongdai:")]
WORKERS = workers()
_VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")


def _interpolated(text: object, environment: Mapping[str, str]) -> str:
    """What compose makes of a value: `${NAME:-default}`, the only form that the file uses."""
    value = _VARIABLE.sub(lambda match: environment.get(match[1]) or match[2], str(text))
    assert "$" not in value, f"a form that this test does not know: {value}"
    return value


def _variables(service: Mapping[str, Any]) -> set[str]:
    """What a service takes from the environment."""
    return {name for name, _ in _VARIABLE.findall(json.dumps(service))}


def test_the_file_is_valid_by_the_compose_specification() -> None:
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(COMPOSE)] == []


def test_the_specification_sees_a_mistake() -> None:
    broken = {"services": {"routing": {"image": "tongdai", "comand": ["worker", "routing"]}}}
    assert not Draft7Validator(SCHEMA).is_valid(broken)


def test_every_worker_has_a_service() -> None:
    assert set(OURS) >= WORKERS
    for worker in WORKERS:
        assert SERVICES[worker]["command"] == ["worker", worker]


@pytest.mark.parametrize("service", [name for name in OURS if SERVICES[name]["command"] != ["--help"]])
def test_every_command_is_one_of_ours(service: str) -> None:
    assert parse(SERVICES[service]["command"]) in SERVICES[service]["command"]


@pytest.mark.parametrize("wrong", [["worker", "rooting"], ["topics", "apply", "--fast"], ["serve"]])
def test_a_wrong_command_is_seen(wrong: list[str]) -> None:
    with pytest.raises(Exception, match=r"No such (command|option)"):
        parse(wrong)


@pytest.mark.parametrize("given", [{}, {"MESSENGER_APPS": '[{"app_secret": "s", "verify_token": "t"}]'}])
@pytest.mark.parametrize("service", OURS)
def test_every_variable_is_one_of_our_settings(
    service: str, given: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    environment = SERVICES[service]["environment"]
    assert environment
    for name, value in environment.items():
        monkeypatch.setenv(name, _interpolated(value, given))
    settings = load_settings(tmp_path / "absent.env")
    assert settings.kafka.bootstrap_servers == "kafka:9092"
    assert settings.postgres.dsn.get_secret_value().endswith("@postgres:5432/tongdai")


def test_the_page_names_every_variable_of_the_file() -> None:
    named = {name for service in SERVICES.values() for name in _variables(service)}
    page = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
    assert sorted(name for name in named if f"`{name}`" not in page) == []


def test_tools_know_what_delivery_knows_of_apps_accounts_and_keys() -> None:
    """Or `pages` would refuse what delivery knows, or keep what it does not."""
    own = {name for name in SERVICES["delivery"]["environment"] if "ATTACHMENTS" not in name}
    assert own - SERVICES["routing"]["environment"].keys() <= SERVICES["tools"]["environment"].keys()


def test_jobs_come_before_workers_and_servers_before_jobs() -> None:
    for worker in WORKERS:
        conditions = {name: entry["condition"] for name, entry in SERVICES[worker]["depends_on"].items()}
        assert conditions == dict.fromkeys(("migrate", "topics"), "service_completed_successfully")
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}


@pytest.mark.parametrize("service", [*sorted(WORKERS), "kafka", "postgres"])
def test_what_runs_for_long_has_a_health_check_and_starts_again(service: str) -> None:
    assert SERVICES[service]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[service]["restart"] == "unless-stopped"


def test_a_health_check_asks_the_port_on_which_its_worker_listens() -> None:
    for worker in ("routing", "notifier"):
        service = SERVICES[worker]
        assert (
            f":{service['environment']['TONGDAI_RUNTIME_HEALTH_PORT']}/" in service["healthcheck"]["test"][-1]
        )
    for worker in ("ingress", "gateway"):
        service = SERVICES[worker]
        port = service["environment"][f"TONGDAI_{worker.upper()}_PORT"]
        assert f":{port}/" in service["healthcheck"]["test"][-1]
        assert service["ports"][0].endswith(f":{port}")


def test_workers_are_given_more_time_to_stop_than_they_take() -> None:
    grace_s = load_settings(Path("absent.env")).runtime.grace_s
    for worker in WORKERS:
        assert float(SERVICES[worker]["stop_grace_period"].removesuffix("s")) >= grace_s


def test_kafka_and_postgres_are_the_official_images_with_volumes() -> None:
    for name, image in (("kafka", r"apache/kafka:4\.\d+\.\d+"), ("postgres", r"postgres:18")):
        assert re.fullmatch(image, SERVICES[name]["image"])
        assert SERVICES[name]["volumes"][0].split(":")[0] in COMPOSE["volumes"]
    assert SERVICES["kafka"]["environment"]["KAFKA_LOG_DIRS"] == SERVICES["kafka"]["volumes"][0].split(":")[1]


def test_the_image_has_what_the_lock_file_says() -> None:
    assert _pins("requirements-image.lock").items() <= _pins("requirements.lock").items()


def test_the_image_copies_every_package_that_is_installed() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for source in re.findall(r"^COPY (?!--)(.+) \S+$", dockerfile, re.MULTILINE):
        for path in source.split():
            assert (ROOT / path).exists(), path
            assert f"!{path}" in ignored, path
    assert re.search(r"^USER \d+:\d+$", dockerfile, re.MULTILINE), "the image must not run as root"
    assert dockerfile.rstrip().endswith('CMD ["--help"]')
    assert 'ENTRYPOINT ["tongdai"]' in dockerfile


def _pins(lock: str) -> dict[str, frozenset[str]]:
    """Each `name==version` with its hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    return {
        block.split(maxsplit=1)[0]: frozenset(re.findall(r"sha256:([0-9a-f]{64})", block))
        for block in blocks
        if "==" in block
    }
