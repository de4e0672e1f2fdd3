"""What Kafka's clients are made with: servers, SASL and TLS, refused when they do not go together."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi
import pytest

from tests.config.loading import Load, Refuse

SASL = {"KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "KAFKA_SASL_USERNAME": "u", "KAFKA_SASL_PASSWORD": "p"}


def test_a_plain_client(load: Load) -> None:
    assert load(KAFKA_BOOTSTRAP_SERVERS="a:1, [::1]:2").kafka.client_options() == {
        "bootstrap_servers": ["a:1", "[::1]:2"],
        "security_protocol": "PLAINTEXT",
        "request_timeout_ms": 40_000,
    }


def test_a_client_with_tls_and_a_password(load: Load) -> None:
    kafka = load(**SASL, KAFKA_SECURITY_PROTOCOL="SASL_SSL", KAFKA_SSL_CAFILE=certifi.where()).kafka
    options = kafka.client_options()
    assert options["sasl_mechanism"] == "SCRAM-SHA-512"
    assert options["sasl_plain_username"] == "u"
    assert options["sasl_plain_password"] == "p"
    assert options["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert options["ssl_context"].check_hostname


@pytest.mark.parametrize("missing", list(SASL))
def test_sasl_needs_all_its_parts(refuse: Refuse, missing: str) -> None:
    given = {name: value for name, value in SASL.items() if name != missing}
    problems = refuse(**given, KAFKA_SECURITY_PROTOCOL="SASL_PLAINTEXT")
    assert list(problems) == [f"TONGDAI_{missing}"]


def test_options_without_effect_are_refused(refuse: Refuse) -> None:
    problems = refuse(**SASL, KAFKA_SSL_CAFILE=certifi.where())
    assert set(problems) == {f"TONGDAI_{name}" for name in (*SASL, "KAFKA_SSL_CAFILE")}
    assert all("TONGDAI_KAFKA_SECURITY_PROTOCOL" in text for text in problems.values())


def test_a_missing_certificate_is_refused(refuse: Refuse) -> None:
    problems = refuse(KAFKA_SECURITY_PROTOCOL="SSL", KAFKA_SSL_CERTFILE="nowhere.pem")
    assert "not a file" in problems["TONGDAI_KAFKA_SSL_CERTFILE"]


def test_a_key_needs_its_certificate(refuse: Refuse, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.touch()
    assert "TONGDAI_KAFKA_SSL_CERTFILE" in refuse(KAFKA_SECURITY_PROTOCOL="SSL", KAFKA_SSL_KEYFILE=str(key))


def test_a_file_that_is_no_certificate_is_refused(refuse: Refuse, tmp_path: Path) -> None:
    rubbish = tmp_path / "ca.pem"
    rubbish.write_text("rubbish")
    problems = refuse(KAFKA_SECURITY_PROTOCOL="SSL", KAFKA_SSL_CAFILE=str(rubbish))
    assert "PEM" in problems["TONGDAI_KAFKA_SSL_CAFILE"]
