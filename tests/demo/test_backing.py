"""Which servers are used: those that the settings name, else embedded ones."""

from __future__ import annotations

import pytest

from config.errors import ConfigurationError
from config.settings import Settings
from workers.local.backing import uses_embedded

KAFKA = {"bootstrap_servers": "127.0.0.1:9"}
POSTGRES = {"dsn": "postgresql://tongdai@127.0.0.1:9/tongdai"}


@pytest.mark.parametrize(
    ("named", "local", "embedded"),
    [
        ({}, False, True),
        ({"kafka": KAFKA, "postgres": POSTGRES}, False, False),
        ({"kafka": KAFKA, "postgres": POSTGRES}, True, True),
        ({"kafka": KAFKA}, True, True),
    ],
)
def test_named_servers_win_unless_local_is_said(
    named: dict[str, dict[str, str]], *, local: bool, embedded: bool
) -> None:
    assert uses_embedded(Settings.model_validate(named), local=local) is embedded


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"kafka": KAFKA}, "TONGDAI_KAFKA_BOOTSTRAP_SERVERS is set and TONGDAI_POSTGRES_DSN is not"),
        ({"postgres": POSTGRES}, "TONGDAI_POSTGRES_DSN is set and TONGDAI_KAFKA_BOOTSTRAP_SERVERS is not"),
        ({"kafka": {"security_protocol": "SSL"}}, "TONGDAI_KAFKA_SECURITY_PROTOCOL is SSL"),
    ],
)
def test_what_cannot_be_meant_is_refused(named: dict[str, dict[str, str]], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        uses_embedded(Settings.model_validate(named), local=False)
