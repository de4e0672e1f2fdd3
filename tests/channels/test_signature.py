"""The signatures, against vectors that were computed with other tools."""

from __future__ import annotations

import orjson
import pytest

from config.ingress import MessengerApp, ZaloApp
from schemas.inbound import Message
from tests.channels.webhooks import APPS, Signed, sign_messenger, sign_zalo
from workers.channels.channel import Channel, Item, Refused
from workers.channels.messenger import Messenger
from workers.channels.problem import MalformedError, WrongObjectError, WrongSignatureError, WrongTokenError
from workers.channels.signature import header_digest, messenger_digest, zalo_digest
from workers.channels.zalo import Zalo

MESSENGER_BODY = (
    rb'{"object":"page","entry":[{"id":"1","time":1458692752478,"messaging":[{"sender":{"id":"U"},'
    rb'"recipient":{"id":"1"},"timestamp":1458692752478,"message":{"mid":"m_1","text":"xin ch\u00e0o"}}]}]}'
)
MESSENGER_DIGEST = "ec1acb45c544ec27d9856da60e4ce13899fc2fcf3b3b966e6d93c34d8fbb8792"
ZALO_BODY = (
    '{"app_id":"3608465248940903967","event_name":"user_send_text","message":{"msg_id":"m1",'
    '"text":"xin chào"},"recipient":{"id":"388613280878808645"},"sender":{"id":"246845883529197922"},'
    '"timestamp":"1543908534740"}'
).encode()
ZALO_DIGEST = "d6f18fe433910ab461fa4ffbd54b47c6b88b3ec968ab18aae2de8510ea69e29d"


def messenger_app(secret: str, **more: object) -> MessengerApp:
    return MessengerApp.model_validate({"app_secret": secret, "verify_token": "v", **more})


def taken(channel: Channel, signed: Signed) -> list[Item]:
    return list(channel.items(channel.open(signed.headers, signed.body)))


@pytest.mark.parametrize("pages", [None, ["1"], ["2", "1"]])
def test_an_app_speaks_for_any_page_or_for_those_that_are_listed(pages: list[str] | None) -> None:
    app = messenger_app("one secret", pages=pages)
    (record,) = taken(Messenger([app]), sign_messenger(MESSENGER_BODY, "one secret"))
    assert isinstance(record, Message)


def test_what_an_app_says_of_another_page_is_refused_and_can_be_sent_again() -> None:
    """As when one app's secret is known to somebody, or its owner is another company."""
    own, foreign = messenger_app("own secret", name="own", pages=["1"]), messenger_app("foreign", pages=["2"])
    channel, signed = Messenger([own, foreign]), sign_messenger(MESSENGER_BODY, "foreign")
    (refused,) = taken(channel, signed)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.key) == ("foreign_page", "messenger:1:U")
    assert "messenger:1" in refused.detail
    again = sign_messenger(orjson.dumps(refused.original), "own secret")
    (record,) = taken(channel, again)
    assert isinstance(record, Message)
    # Whoever has the secret of both may speak for the pages of both; of one without a list, for any.
    for others in ([own.model_copy(update={"app_secret": foreign.app_secret})], [messenger_app("foreign")]):
        (record,) = taken(Messenger([foreign, *others]), signed)
        assert isinstance(record, Message)


def test_a_zalo_app_speaks_for_its_accounts_alone() -> None:
    app = APPS["zalo_apps"][1]
    account = orjson.loads(ZALO_BODY)["recipient"]["id"]
    for pages, wanted in (([account], Message), (["1"], Refused)):
        channel = Zalo([ZaloApp.model_validate({**app, "pages": pages})])
        (item,) = taken(channel, sign_zalo(ZALO_BODY, "1543908534740"))
        assert isinstance(item, wanted)
    assert isinstance(item, Refused)
    assert (item.reason, item.original) == ("foreign_page", orjson.loads(ZALO_BODY))


@pytest.fixture
def messenger() -> Messenger:
    return Messenger([MessengerApp.model_validate(app) for app in APPS["messenger_apps"]])


@pytest.fixture
def zalo() -> Zalo:
    return Zalo([ZaloApp.model_validate(app) for app in APPS["zalo_apps"]])


def test_messengers_formula_is_the_documented_one() -> None:
    assert messenger_digest(b"app_secret_123", MESSENGER_BODY) == MESSENGER_DIGEST


def test_zalos_formula_is_the_documented_one() -> None:
    digest = zalo_digest("3608465248940903967", ZALO_BODY, "1543908534740", b"oa_secret_abc")
    assert digest == ZALO_DIGEST


def test_messenger_takes_the_signature_of_any_configured_app(messenger: Messenger) -> None:
    opened = messenger.open({"x-hub-signature-256": f"sha256={MESSENGER_DIGEST}"}, MESSENGER_BODY)
    assert opened.document["entry"][0]["messaging"][0]["message"]["text"] == "xin chào"
    first = sign_messenger(MESSENGER_BODY, "another secret")
    assert messenger.open(first.headers, first.body) == opened


def test_messengers_signature_is_over_the_bytes_and_not_over_their_meaning(messenger: Messenger) -> None:
    same_meaning = MESSENGER_BODY.replace(rb"\u00e0", "à".encode())
    with pytest.raises(WrongSignatureError, match="fits the body with no configured app"):
        messenger.open({"x-hub-signature-256": f"sha256={MESSENGER_DIGEST}"}, same_meaning)


@pytest.mark.parametrize(
    "header",
    ["", "sha256=", f"sha1={MESSENGER_DIGEST}", MESSENGER_DIGEST, "sha256=" + "0" * 64, "sha256=ÿ"],
)
def test_messenger_refuses_any_other_signature(messenger: Messenger, header: str) -> None:
    with pytest.raises(WrongSignatureError):
        messenger.open({"x-hub-signature-256": header}, MESSENGER_BODY)
    with pytest.raises(WrongSignatureError, match="missing"):
        messenger.open({}, MESSENGER_BODY)


def test_messenger_verifies_before_it_parses(messenger: Messenger) -> None:
    with pytest.raises(WrongSignatureError):
        messenger.open({"x-hub-signature-256": "sha256=" + "0" * 64}, b"{no json")
    with pytest.raises(MalformedError):
        messenger.open(sign_messenger(b"{no json").headers, b"{no json")


@pytest.mark.parametrize("body", [b'{"object":"instagram","entry":[]}', b"[]", b"null", b'"page"'])
def test_messenger_takes_only_pages(messenger: Messenger, body: bytes) -> None:
    with pytest.raises(WrongObjectError):
        messenger.open(sign_messenger(body).headers, body)


def test_zalo_takes_the_signature_of_the_app_that_the_body_names(zalo: Zalo) -> None:
    assert zalo.open({"x-zevent-signature": f"mac={ZALO_DIGEST}"}, ZALO_BODY)["message"]["msg_id"] == "m1"
    with pytest.raises(WrongSignatureError, match="does not fit"):
        zalo.open(sign_zalo(ZALO_BODY, "1543908534740", "another secret").headers, ZALO_BODY)
    with pytest.raises(WrongSignatureError, match="does not fit"):
        zalo.open({"x-zevent-signature": f"mac={ZALO_DIGEST}"}, ZALO_BODY + b" ")


def test_zalos_app_may_sign_with_its_own_secret_when_the_oa_has_none(zalo: Zalo) -> None:
    body = ZALO_BODY.replace(b'"3608465248940903967"', b'"1"')
    signed = sign_zalo(body, "1543908534740", "another secret", app_id="1")
    assert zalo.open(signed.headers, body)["app_id"] == "1"


def test_the_account_may_stand_first_in_what_zalo_signs_where_the_app_is_set_so() -> None:
    app = {"app_id": "3608465248940903967", "secret_key": "oa_secret_abc"}
    usual, other = (Zalo([ZaloApp.model_validate({**app, **more})]) for more in ({}, {"signs_with": "oa_id"}))
    from_oa = ZALO_BODY.replace(b"user_send_text", b"oa_send_text")
    for body, account in ((ZALO_BODY, "388613280878808645"), (from_oa, "246845883529197922")):
        signed = zalo_digest(account, body, "1543908534740", b"oa_secret_abc")
        header = {"x-zevent-signature": f"mac={signed}"}
        assert other.open(header, body)["message"]["msg_id"] == "m1"
        with pytest.raises(WrongSignatureError, match="does not fit"):
            usual.open(header, body)
    with pytest.raises(WrongSignatureError, match="does not fit"):
        other.open({"x-zevent-signature": f"mac={ZALO_DIGEST}"}, ZALO_BODY)


def test_zalos_timestamp_may_be_a_number(zalo: Zalo) -> None:
    body = ZALO_BODY.replace(b'"1543908534740"', b"1543908534740")
    assert zalo.open(sign_zalo(body, "1543908534740").headers, body)["timestamp"] == 1543908534740


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{no json", MalformedError),
        (b"[]", MalformedError),
        (b"{}", WrongSignatureError),
        (b'{"app_id":"unknown"}', WrongSignatureError),
        (b'{"app_id":["1"],"timestamp":{}}', WrongSignatureError),
    ],
)
def test_zalo_refuses_what_names_no_app(zalo: Zalo, body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        zalo.open({"x-zevent-signature": f"mac={ZALO_DIGEST}"}, body)
    with pytest.raises(WrongSignatureError, match="missing"):
        zalo.open({}, body)


@pytest.mark.parametrize("dot", [".", "_"])
def test_the_challenge_comes_back_as_it_came(messenger: Messenger, dot: str) -> None:
    query = {f"hub{dot}mode": "subscribe", f"hub{dot}verify_token": "mytoken", f"hub{dot}challenge": "0115"}
    assert messenger.challenge(query) == "0115"


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({}, WrongTokenError),
        ({"hub.mode": "subscribe", "hub.verify_token": "wrong", "hub.challenge": "1"}, WrongTokenError),
        ({"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}, WrongTokenError),
        ({"hub.mode": "unsubscribe", "hub.verify_token": "mytoken", "hub.challenge": "1"}, WrongTokenError),
        ({"hub.mode": "subscribe", "hub.verify_token": "mytoken"}, MalformedError),
    ],
)
def test_a_wrong_challenge_is_refused(
    messenger: Messenger, query: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        messenger.challenge(query)


def test_without_apps_everything_is_refused() -> None:
    with pytest.raises(WrongSignatureError):
        Messenger([]).open(sign_messenger(MESSENGER_BODY, "").headers, MESSENGER_BODY)
    with pytest.raises(WrongTokenError):
        Messenger([]).challenge({"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"})


def test_a_signature_header_is_read_whatever_its_case() -> None:
    assert header_digest("SHA256= ABCDEF ", "sha256") == "abcdef"
    assert header_digest("mac = 00", "mac") == "00"
    assert header_digest(None, "mac") is None
