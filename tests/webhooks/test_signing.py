"""Secrets and signatures: as Standard Webhooks has them, and never kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from config.settings import Settings
from workers.webhooks.signing import Keys, Salt, UnknownKeyError, signed_headers, signing_keys

# The vector that the libraries of Standard Webhooks publish in their tests.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

OLD, NEW = "an old key of thirty-two bytes or more", "a new key of thirty-two bytes or more"


def test_the_published_vector() -> None:
    assert signed_headers([SECRET], MESSAGE, AT, BODY) == {
        "webhook-id": MESSAGE,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


@given(body=st.text().map(str.encode), id_=st.uuids().map(str))
def test_each_secret_verifies_while_two_sign_and_a_third_never_does(body: bytes, id_: str) -> None:
    keys = Keys(lambda: [NEW, OLD])
    mine, former, strange = (keys.secret(keys.draw()) for _ in range(3))
    headers = signed_headers([mine, former], id_, datetime.now(UTC), body)
    for secret in (mine, former):
        Webhook(secret).verify(body, headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(strange).verify(body, headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(mine).verify(body + b" ", headers, json_parse=False)


def test_a_secret_is_the_same_for_who_has_the_key_and_outlives_a_new_one() -> None:
    salt = Keys(lambda: [OLD]).draw()
    assert Keys(lambda: [OLD]).secret(salt) == Keys(lambda: [NEW, OLD]).secret(salt)
    assert Keys(lambda: [NEW, OLD]).draw().key_id == Keys(lambda: [NEW]).draw().key_id != salt.key_id
    with pytest.raises(UnknownKeyError, match="TONGDAI_WEBHOOKS_SIGNING_KEYS has no key"):
        Keys(lambda: [NEW]).secret(salt)


def test_secrets_differ_and_say_nothing_of_the_key() -> None:
    keys = Keys(lambda: [OLD])
    assert keys.secret(keys.draw()) != keys.secret(keys.draw())
    assert keys.secret(Salt(keys.draw().key_id, b"x")).startswith("whsec_")
    assert OLD not in str(keys.draw())


def test_the_local_profile_draws_a_key_when_it_is_needed_and_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "of" / "webhooks.key"
    keys = signing_keys(Settings(), path)
    assert not path.parent.exists()
    secret = keys.secret(salt := keys.draw())
    assert path.stat().st_mode & 0o777 == 0o600
    assert signing_keys(Settings(), path).secret(salt) == secret


def test_without_a_key_nothing_is_drawn(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    keys = signing_keys(Settings(), blocked / "webhooks.key")
    assert not keys.can_draw
    with pytest.raises(UnknownKeyError, match="is not set"):
        keys.draw()
