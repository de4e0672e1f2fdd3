"""`config show` says where each value came from, and shows no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.postgres import mask_dsn
from config.provenance import Provenance, provenance_of
from tests.config.loading import Load


@pytest.fixture
def shown(load: Load, env_file: Path) -> dict[str, Provenance]:
    env_file.write_text("# a comment\nTONGDAI_LOG_LEVEL=debug\ntongdai_ingress_port=9\n")
    settings = load(
        KAFKA_TOPIC_PREFIX="shop",
        POSTGRES_DSN="postgresql://user:hunter2@db/tongdai?sslpassword=hunter3&sslmode=require",
        INGRESS_MESSENGER_APPS='[{"app_secret": "hunter4", "verify_token": "hunter5"}]',
        INGRESS_PORT="",
    )
    return {row.variable: row for row in provenance_of(settings, Path(env_file.name))}


@pytest.mark.parametrize(
    ("variable", "value", "source"),
    [
        ("TONGDAI_PROFILE", "local", "default"),
        ("TONGDAI_KAFKA_TOPIC_PREFIX", "shop", "environment"),
        ("TONGDAI_KAFKA_REPLICATION_FACTOR", 1, "profile local"),
        ("TONGDAI_LOG_LEVEL", "debug", ".env line 2"),
        ("TONGDAI_INGRESS_PORT", 9, ".env line 3"),
        ("TONGDAI_RUNTIME_WATCHDOG_S", 60.0, "default"),
    ],
)
def test_each_value_names_its_source(
    shown: dict[str, Provenance], variable: str, value: object, source: str
) -> None:
    assert shown[variable] == Provenance(variable, value, source)


def test_secrets_are_masked(shown: dict[str, Provenance]) -> None:
    assert "hunter" not in str(shown)
    dsn = "postgresql://user:**********@db/tongdai?sslpassword=**********&sslmode=require"
    assert shown["TONGDAI_POSTGRES_DSN"].value == dsn


def test_every_setting_is_shown(shown: dict[str, Provenance]) -> None:
    assert len(shown) > 40
    assert all(name.startswith("TONGDAI_") for name in shown)


@pytest.mark.parametrize(
    ("dsn", "masked"),
    [
        ("postgresql://a@h/d", "postgresql://a@h/d"),
        ("postgresql:///d?host=/tmp&password=x", "postgresql:///d?host=/tmp&password=**********"),
        ("postgresql://a:b%40c@h1:1,h2:2/d", "postgresql://a:**********@h1:1,h2:2/d"),
        ("postgresql://a:b@c@h/d", "postgresql://a:**********@h/d"),
    ],
)
def test_a_dsn_is_masked_wherever_its_password_stands(dsn: str, masked: str) -> None:
    assert mask_dsn(dsn) == masked
