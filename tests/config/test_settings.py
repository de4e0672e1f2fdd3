"""Settings are read from their variables, and refused by the name of the variable that is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from config.ingress import ZaloApp
from config.problem import SettingsError
from config.settings import Settings
from tests.config.loading import Load, Refuse
from workers.channels.delivery.vault import open_vault
from workers.gateway.signing_key import signing_key

DOCS = Path(__file__).parents[2] / "docs"
APPS = {"INGRESS_MESSENGER_APPS", "INGRESS_ZALO_APPS"}
PRODUCTION = {
    "PROFILE": "production",
    "KAFKA_BOOTSTRAP_SERVERS": "k1:9092,k2:9092",
    "POSTGRES_DSN": "postgresql://tongdai:s3cret@db:5432/tongdai",
}


def test_defaults_are_those_of_a_laptop(load: Load) -> None:
    settings = load()
    assert settings.profile == "local"
    assert (settings.kafka.conversation_partitions, settings.kafka.desk_partitions) == (6, 3)
    assert (settings.kafka.replication_factor, settings.kafka.min_insync_replicas) == (1, 1)
    assert settings.kafka.topic_prefix == "tongdai"
    assert not settings.kafka.is_named
    assert not settings.postgres.is_named


def test_production_has_the_sizes_of_a_cluster(load: Load) -> None:
    settings = load(**PRODUCTION)
    assert (settings.kafka.conversation_partitions, settings.kafka.desk_partitions) == (48, 24)
    assert (settings.kafka.replication_factor, settings.kafka.min_insync_replicas) == (3, 2)
    assert settings.log.format == "json"
    assert settings.kafka.is_named
    assert settings.postgres.is_named


def test_a_variable_wins_over_the_profile(load: Load) -> None:
    assert load(**PRODUCTION, KAFKA_CONVERSATION_PARTITIONS="96").kafka.conversation_partitions == 96


def test_the_environment_wins_over_the_file(load: Load, env_file: Path) -> None:
    env_file.write_text("TONGDAI_KAFKA_TOPIC_PREFIX=file\nTONGDAI_INGRESS_PORT=9999\nOTHER_TOOL=1\n")
    settings = load(KAFKA_TOPIC_PREFIX="environment")
    assert settings.kafka.topic_prefix == "environment"
    assert settings.ingress.port == 9999


def test_an_empty_variable_is_as_good_as_none(load: Load) -> None:
    assert load(KAFKA_SASL_USERNAME="", RUNTIME_WATCHDOG_S="").runtime.watchdog_s == 60


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("PROFILE", "staging", "'local' or 'production'"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka", "host:port"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092,", "host:port"),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:99999", "host:port"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS", "'SASL_SSL'"),
        ("KAFKA_SASL_MECHANISM", "GSSAPI", "'SCRAM-SHA-512'"),
        ("KAFKA_TOPIC_PREFIX", "tổng-đài", "pattern"),
        ("KAFKA_CONVERSATION_PARTITIONS", "0", "greater than 0"),
        ("KAFKA_REPLICATION_FACTOR", "many", "integer"),
        ("KAFKA_MIN_INSYNC_REPLICAS", "2", "TONGDAI_KAFKA_REPLICATION_FACTOR"),
        ("POSTGRES_DSN", "mysql://a/b", "postgresql://"),
        ("POSTGRES_DSN", "postgresql://a:b@host", "names no database"),
        ("POSTGRES_DSN", "postgresql://a:b@host:port/db", "hosts and ports"),
        ("POSTGRES_DSN", "postgresql://a:12/34@host/db", "%2F"),
        ("POSTGRES_DSN", "postgresql://a:12#34@host/db", "%23"),
        ("POSTGRES_SYNCHRONOUS_COMMIT", "maybe", "'on'"),
        ("RUNTIME_POLL_TIMEOUT_MS", "-1", "greater than 0"),
        ("RUNTIME_KAFKA_DEADLINE_S", "inf", "finite"),
        ("RUNTIME_KAFKA_DEADLINE_S", "16", "TONGDAI_RUNTIME_TRANSACTION_TIMEOUT_MS"),
        ("RUNTIME_MAX_POLL_INTERVAL_MS", "15000", "TONGDAI_RUNTIME_TRANSACTION_TIMEOUT_MS"),
        ("RUNTIME_MAX_POLL_INTERVAL_MS", "9999", "TONGDAI_RUNTIME_SESSION_TIMEOUT_MS"),
        ("RUNTIME_HEARTBEAT_INTERVAL_MS", "3334", "TONGDAI_RUNTIME_SESSION_TIMEOUT_MS"),
        ("RUNTIME_STOP_DEADLINE_S", "10", "TONGDAI_RUNTIME_KAFKA_DEADLINE_S"),
        ("RUNTIME_WATCHDOG_S", "10", "TONGDAI_RUNTIME_KAFKA_DEADLINE_S"),
        ("RUNTIME_WATCHDOG_S", "30", "TONGDAI_POSTGRES_COMMAND_TIMEOUT_S"),
        ("RUNTIME_BATCH_MAX_BYTES", "1000", "greater than or equal to 2097152"),
        ("RUNTIME_HEALTH_PORT", "8080", "TONGDAI_INGRESS_PORT"),
        ("INGRESS_PORT", "65536", "65535"),
        ("INGRESS_PUBLISH_DEADLINE_S", "2", "less than 2"),
        ("INGRESS_BODY_LIMIT_BYTES", "1048576", "less than or equal to 983040"),
        ("INGRESS_RATE_BURST", "1", "TONGDAI_INGRESS_RATE_PER_S"),
        ("INGRESS_PAGE_RATE_BURST", "499", "TONGDAI_INGRESS_PAGE_RATE_PER_S"),
        ("INGRESS_MESSENGER_APPS", "not json", "JSON list"),
        ("WEBHOOKS_SIGNING_KEYS", "short", "32 bytes"),
        ("WEBHOOKS_SIGNING_KEYS", f"{'k' * 32},{'k' * 32}", "same key twice"),
        ("WEBHOOKS_ALLOW_NETWORKS", "10.0.0.1/8", "host bits"),
        ("WEBHOOKS_LEASE_S", "16", "TONGDAI_WEBHOOKS_REQUEST_TIMEOUT_S"),
        ("WEBHOOKS_RETRY_FIRST_S", "3600.5", "less than or equal to 3600"),
        ("LOG_LEVEL", "loud", "'debug'"),
        ("LOG_FORMAT", "xml", "'json'"),
    ],
)
def test_a_wrong_value_is_refused_by_name(refuse: Refuse, variable: str, value: str, says: str) -> None:
    assert says in refuse(**{variable: value})[f"TONGDAI_{variable}"]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("ATTACHMENTS_FETCH_RETRY_FIRST_S", "ATTACHMENTS_FETCH_RETRY_LAST_S"),
        ("DELIVERY_RETRY_FIRST_S", "DELIVERY_RETRY_LAST_S"),
        ("MAIL_RETRY_FIRST_S", "MAIL_RETRY_LAST_S"),
        ("PHONE_RETRY_FIRST_S", "PHONE_RETRY_LAST_S"),
        ("WEBHOOKS_RETRY_FIRST_S", "WEBHOOKS_RETRY_MAX_S"),
    ],
)
def test_the_first_wait_may_not_exceed_the_last(refuse: Refuse, first: str, last: str) -> None:
    assert f"must not exceed TONGDAI_{last}" in refuse(**{last: "0.5"})[f"TONGDAI_{first}"]


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("KAFKA_REPLICATION_FACTOR", "2", "at least 3"),
        ("KAFKA_MIN_INSYNC_REPLICAS", "1", "at least 2"),
        ("POSTGRES_SYNCHRONOUS_COMMIT", "off", "`on`"),
        ("POSTGRES_SYNCHRONOUS_COMMIT", "local", "`on`"),
        ("KAFKA_BOOTSTRAP_SERVERS", "", "is not set"),
        ("POSTGRES_DSN", "", "is not set"),
        ("WEBHOOKS_ALLOW_NETWORKS", "10.1.0.0/16,127.0.0.0/8", "127.0.0.0/8, which reaches this machine"),
        ("WEBHOOKS_ALLOW_NETWORKS", "169.254.169.254/32", "reaches this machine"),
        ("WEBHOOKS_ALLOW_NETWORKS", "0.0.0.0/0", "reaches this machine"),
        ("WEBHOOKS_ALLOW_NETWORKS", "::/0", "reaches this machine"),
    ],
)
def test_production_refuses_what_is_unsafe(refuse: Refuse, variable: str, value: str, says: str) -> None:
    problems = refuse(**(PRODUCTION | {variable: value}))
    assert says in problems[f"TONGDAI_{variable}"]
    assert len(problems) == 1


def test_local_warns_of_what_is_unsafe(load: Load) -> None:
    warned = {warning.setting for warning in load(POSTGRES_SYNCHRONOUS_COMMIT="off").warnings}
    assert warned == {
        "TONGDAI_KAFKA_REPLICATION_FACTOR",
        "TONGDAI_KAFKA_MIN_INSYNC_REPLICAS",
        "TONGDAI_POSTGRES_SYNCHRONOUS_COMMIT",
    }


def test_production_warns_of_an_open_network(load: Load) -> None:
    kafka, postgres = load(**PRODUCTION).warnings
    assert kafka.setting == "TONGDAI_KAFKA_SECURITY_PROTOCOL"
    assert postgres.setting == "TONGDAI_POSTGRES_DSN"
    for mode, warned in (("require", 2), ("verify-full", 1)):
        dsn = f"{PRODUCTION['POSTGRES_DSN']}?sslmode={mode}"
        assert len(load(**(PRODUCTION | {"POSTGRES_DSN": dsn})).warnings) == warned


def test_a_mistyped_variable_is_refused_with_the_right_one(refuse: Refuse, env_file: Path) -> None:
    env_file.write_text("\nTONGDAI_POSTGRES_DNS=postgresql://a/b\n")
    problems = refuse(KAFKA_BOOTSTRAP_SERVER="k:9092", QWERTY="1")
    assert "did you mean TONGDAI_KAFKA_BOOTSTRAP_SERVERS?" in problems["TONGDAI_KAFKA_BOOTSTRAP_SERVER"]
    assert ".env line 2): did you mean TONGDAI_POSTGRES_DSN?" in problems["TONGDAI_POSTGRES_DNS"]
    assert "config show" in problems["TONGDAI_QWERTY"]


def test_a_whole_section_is_no_setting(refuse: Refuse) -> None:
    assert list(refuse(KAFKA='{"topic_prefix": "x"}')) == ["TONGDAI_KAFKA"]
    assert "TONGDAI_KAFKA" in refuse(KAFKA="x")


def test_a_line_of_the_file_without_a_value_is_refused(refuse: Refuse, env_file: Path) -> None:
    env_file.write_text("TONGDAI_LOG_LEVEL=info\nTONGDAI_KAFKA_TOPIC_PREFIX='open\n")
    assert "NAME=value" in refuse()[".env line 2"]


def test_a_file_that_is_no_text_is_refused(refuse: Refuse, env_file: Path) -> None:
    env_file.write_bytes(b"TONGDAI_LOG_LEVEL=\xff")
    assert "cannot be read" in refuse()[".env"]


def test_all_problems_are_told_at_once(refuse: Refuse) -> None:
    problems = refuse(LOG_LEVEL="loud", RUNTIME_WATCHDOG_S="x", KAFKA_PREFIX="x")
    assert set(problems) == {"TONGDAI_LOG_LEVEL", "TONGDAI_RUNTIME_WATCHDOG_S", "TONGDAI_KAFKA_PREFIX"}


def test_an_error_never_holds_the_value(load: Load) -> None:
    apps = json.dumps([{"app_secret": "hunter2", "verify_token": 7, "sekret": "hunter3"}])
    with pytest.raises(SettingsError) as caught:
        load(POSTGRES_DSN="mysql://a:hunter1@b/c", INGRESS_MESSENGER_APPS=apps)
    assert "TONGDAI_INGRESS_MESSENGER_APPS[0].sekret" in str(caught.value)
    assert "hunter" not in str(caught.value)
    assert "hunter" not in str(caught.value.__cause__)


def test_apps_are_read_from_json(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZALO_SECRET", "z")
    settings = load(
        INGRESS_MESSENGER_APPS='[{"app_secret": "a", "verify_token": "v"}]',
        INGRESS_ZALO_APPS='[{"app_id": "1", "secret_key": "env:ZALO_SECRET"}]',
    )
    assert settings.ingress.messenger_apps[0].app_secret.get_secret_value() == "a"
    assert settings.ingress.zalo_apps[0].secret_key.get_secret_value() == "z"
    assert settings.ingress.zalo_apps[0].oa_secret_key is None


def test_a_zalo_secret_that_no_header_takes_is_refused() -> None:
    with pytest.raises(ValidationError, match="characters that no token has"):
        ZaloApp.model_validate({"app_id": "77", "secret_key": "the-secret…"})


@pytest.mark.parametrize("page", ["channels", "phone", "website"])
def test_what_pages_show_of_settings_as_json_can_be_set(
    page: str, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    for name in re.findall(r"env:([A-Z_]+)", text):
        monkeypatch.setenv(name, "a secret of at least thirty-two bytes")
    shown = dict(re.findall(r"TONGDAI_(\w+)='(.+?)'", text, re.DOTALL))
    settings = load(**shown)
    assert {name for name in shown if name.endswith("_APPS")} == (APPS if page == "channels" else set())
    for name in shown:
        section, _, field = name.lower().partition("_")
        assert getattr(getattr(settings, section), field)


@pytest.mark.parametrize("page", ["README.md", "docs/operating.md"])
def test_what_operators_are_told_to_export_is_all_that_production_needs(
    page: str, load: Load, tmp_path: Path
) -> None:
    text = (DOCS.parent / page).read_text(encoding="utf-8").replace("/run/secrets", str(tmp_path))
    for name in ("gateway", "delivery"):
        (tmp_path / name).write_text("a secret of at least thirty-two bytes\n")
    lines = re.findall(r"^export (TONGDAI_.+?)(?:\s+#.*)?$", text, re.MULTILINE)
    told = dict(each.removeprefix("TONGDAI_").split("=", 1) for line in lines for each in line.split())
    settings = load(**told)
    assert settings.profile == "production"
    signing_key(settings)  # raises without one
    open_vault(settings)


def test_apps_of_one_name_are_refused(refuse: Refuse) -> None:
    app = {"app_id": "1", "secret_key": "s"}
    assert "'1' 2 times" in refuse(INGRESS_ZALO_APPS=json.dumps([app, app]))["TONGDAI_INGRESS_ZALO_APPS"]


def test_settings_do_not_change(load: Load) -> None:
    settings = load()
    with pytest.raises(ValueError, match="frozen"):
        settings.kafka.topic_prefix = "other"  # type: ignore[misc]


def test_embedded_servers_take_the_place_of_the_defaults(load: Load) -> None:
    settings = load(KAFKA_TOPIC_PREFIX="x").with_servers(
        bootstrap_servers="127.0.0.1:5", dsn="postgresql://tongdai:p@127.0.0.1:6/tongdai"
    )
    assert isinstance(settings, Settings)
    assert settings.kafka.bootstrap_servers == "127.0.0.1:5"
    assert settings.kafka.topic_prefix == "x"
    assert settings.postgres.dsn.get_secret_value().endswith(":6/tongdai")


@pytest.mark.parametrize(
    ("channel", "app"),
    [
        ("MESSENGER", {"app_secret": "", "verify_token": "v"}),
        ("MESSENGER", {"app_secret": "a", "verify_token": " "}),
        ("ZALO", {"app_id": "1", "secret_key": ""}),
        ("ZALO", {"app_id": "1", "secret_key": "a", "oa_secret_key": ""}),
    ],
    ids=["app_secret", "verify_token", "secret_key", "oa_secret_key"],
)
def test_an_empty_secret_with_which_anybody_could_sign_is_refused(
    refuse: Refuse, channel: str, app: dict[str, str]
) -> None:
    [problem] = refuse(**{f"INGRESS_{channel}_APPS": json.dumps([app])}).values()
    assert "anybody could sign" in problem
