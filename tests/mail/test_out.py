"""Mails as they go out: which ticket they lead back into, what is in their headers, what is tried again."""

from __future__ import annotations

import email
import string
from email import policy
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.letters import ADDRESSES, AT, DAY, FORMER_KEY, KEY, MESSAGE, TICKET, settings, written
from workers.channels.mail.address import BadTokenError, ReplyAddresses, is_address
from workers.channels.mail.frame import ABOVE
from workers.channels.mail.letter import Sender
from workers.channels.mail.smtp import not_answered, not_given
from workers.channels.outreach.result import Given, NotGiven, Unanswered
from workers.channels.outreach.verdict import UNANSWERED_MAX, Step, after

BASE32 = string.ascii_lowercase + "234567"


def read(raw: bytes) -> EmailMessage:
    """As any mail program does."""
    message = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def raw(**fields: Any) -> bytes:  # noqa: ANN401 - of the letter
    return b"".join(written(**fields).pieces())


class TestAnAddress:
    def test_leads_back_into_its_ticket_in_whatever_letters(self) -> None:
        token = ADDRESSES.token(TICKET, AT)
        address = ADDRESSES.address(token)
        assert len(address.partition("@")[0]) <= 64
        (found,) = ADDRESSES.tokens(f"Shop <{address.upper()}>, other@mail.example.com", "")
        assert ADDRESSES.ticket(found, AT + DAY) == TICKET

    def test_is_found_in_what_a_reply_names_too(self) -> None:
        token = ADDRESSES.token(TICKET, AT)
        named = f"<x@y> {ADDRESSES.message_id(token, MESSAGE)}"
        assert list(ADDRESSES.tokens("cskh@shop.example", named)) == [token]

    def test_leads_nowhere_when_its_time_is_over(self) -> None:
        token = ADDRESSES.token(TICKET, AT)
        assert ADDRESSES.ticket(token, AT + 180 * DAY) == TICKET
        with pytest.raises(BadTokenError, match="180 days"):
            ADDRESSES.ticket(token, AT + 181 * DAY)

    def test_of_a_former_key_is_taken_as_long_as_the_key_is_there(self) -> None:
        token = ReplyAddresses(settings(keys=FORMER_KEY)).token(TICKET, AT)
        assert ReplyAddresses(settings(keys=f"{KEY},{FORMER_KEY}")).ticket(token, AT) == TICKET
        with pytest.raises(BadTokenError, match="signature"):
            ADDRESSES.ticket(token, AT)

    @given(st.integers(0, 47), st.sampled_from(BASE32))
    def test_with_another_letter_anywhere_leads_nowhere(self, place: int, other: str) -> None:
        token = ADDRESSES.token(TICKET, AT)
        forged = token[:place] + other + token[place + 1 :]
        if forged != token:
            with pytest.raises(BadTokenError):
                ADDRESSES.ticket(forged, AT)

    @pytest.mark.parametrize("address", ["lan@example.com", "a.b+c@x-y.example.vn"])
    def test_that_can_be_written_to(self, address: str) -> None:
        assert is_address(address)

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "lan",
            "lan@localhost",
            "a@b.c\r\nBcc: x@y.z",
            "a b@c.de",
            "<a@b.cd>",
            "a@b.cd,e@f.gh",
            "á@b.cd",
        ],
    )
    def test_that_cannot(self, address: str) -> None:
        assert not is_address(address)


class TestAMail:
    def test_says_what_the_agent_wrote_and_where_to_answer(self) -> None:
        token = ADDRESSES.token(TICKET, AT)
        mail = read(raw(former=("<1@x>", "<2@x>")))
        assert mail["From"] == "Cửa hàng An <cskh@shop.example>"
        assert mail["To"] == "lan@example.com"
        assert mail["Reply-To"].addresses[0].addr_spec == ADDRESSES.address(token)
        assert mail["Subject"] == "[#3] Hỏi giá"
        assert mail["Message-ID"] == f"<{token}.{MESSAGE.hex}@mail.example.com>"
        assert (mail["In-Reply-To"], mail["References"]) == ("<2@x>", "<1@x> <2@x>")
        lines = mail.get_content().splitlines()
        assert (lines[0], lines[2:4]) == (ABOVE["vi"], ["Dạ giá 120k ạ.", "Chị lấy mấy hộp?"])

    def test_names_those_before_it_as_they_were_named(self) -> None:
        former = [ADDRESSES.message_id(ADDRESSES.token(TICKET, AT + day * DAY), MESSAGE) for day in range(9)]
        mail = raw(former=former)
        assert all(one.encode() in mail for one in former)
        assert b"\r\nIn-Reply-To: " + former[-1].encode() + b"\r\n" in mail
        _, _, body = mail.partition(b"\r\n\r\n")
        assert max(map(len, body.split(b"\r\n"))) <= 76

    def test_is_the_same_at_each_attempt(self) -> None:
        assert raw() == raw()

    def test_without_a_subject_has_one(self) -> None:
        english = Sender("a@b.example", "Shop", "en")
        assert read(raw(subject="", sender=english))["Subject"] == "[#3] Your request"

    @given(subject=st.text(max_size=200), name=st.text(min_size=1, max_size=100), text=st.text(max_size=500))
    def test_has_the_headers_that_we_wrote_and_no_others(self, subject: str, name: str, text: str) -> None:
        sender = Sender("cskh@shop.example", name, "vi")
        try:
            mail = raw(subject=subject, text=text, sender=sender)
        except ValueError:
            return  # refused: it goes to nobody
        head, _, _ = mail.partition(b"\r\n\r\n")
        names = [line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] not in b" \t"]
        wanted = (
            "From To Reply-To Subject Date Message-ID Content-Type Content-Transfer-Encoding MIME-Version"
        )
        assert sorted(names) == sorted(wanted.encode().split())
        assert b"\n" not in mail.replace(b"\r\n", b"")
        assert max(map(len, mail.split(b"\r\n"))) <= 998
        assert not any(line.startswith(b".") for line in mail.split(b"\r\n"))

    @pytest.mark.parametrize("to", ["a@b.cd\r\nBcc: x@y.zz", "a@b.cd\nBcc: x@y.zz", "a@b.cd\rX: y"])
    def test_to_an_address_with_lines_is_refused(self, to: str) -> None:
        with pytest.raises(ValueError, match=r".+"):
            written(to=to)


BECAME: dict[str, tuple[Exception, str, bool]] = {
    "unknown user": (aiosmtplib.SMTPRecipientRefused(550, "no such user", "a@b.cd"), "mail_address", False),
    "greylisted": (aiosmtplib.SMTPRecipientRefused(451, "later", "a@b.cd"), "mail_later", True),
    "spam": (aiosmtplib.SMTPDataError(554, "spam"), "mail_refused", False),
    "full": (aiosmtplib.SMTPDataError(452, "no space"), "mail_later", True),
    "sender": (aiosmtplib.SMTPSenderRefused(553, "not yours", "a@b.cd"), "mail_refused", False),
    "login": (aiosmtplib.SMTPAuthenticationError(535, "bad credentials"), "mail_login", True),
    "busy": (aiosmtplib.SMTPConnectResponseError(554, "go away"), "mail_down", True),
    "no TLS": (aiosmtplib.SMTPException("STARTTLS extension not supported"), "mail_down", True),
    "too large": (aiosmtplib.SMTPSenderRefused(552, "5.3.4 too big", "a@b.cd"), "mail_too_large", False),
    "full for good": (aiosmtplib.SMTPDataError(552, "5.2.2 over quota"), "mail_refused", False),
    "cut": (aiosmtplib.SMTPServerDisconnected("gone"), "mail_down", True),
    "slow": (TimeoutError(), "mail_down", True),
}


RETRY, ATTEMPTS_MAX = settings().retry, settings().attempts_max


class TestAnAttempt:
    @pytest.mark.parametrize("name", BECAME)
    def test_that_fails_is_made_again_by_the_class_of_the_answer(self, name: str) -> None:
        error, reason, again = BECAME[name]
        found = not_given(error)
        assert (found.reason, found.again) == (reason, again)

    def test_tells_codes_and_no_word_of_the_server_that_may_quote_a_customer(self) -> None:
        quoting = "5.1.1 <lan@example.com>: Recipient address rejected: Lan, giao 2 hộp"
        errors = (
            (aiosmtplib.SMTPRecipientRefused(550, quoting, "lan@example.com"), "550 5.1.1"),
            (aiosmtplib.SMTPDataError(554, quoting), "554 5.1.1"),
            (aiosmtplib.SMTPAuthenticationError(535, "lan@example.com"), "535"),
            (aiosmtplib.SMTPConnectResponseError(-1, "Malformed SMTP response line: lan@example.com"), "-1"),
            (UnicodeEncodeError("ascii", "lan@é", 4, 5, "no"), ""),
        )
        for error, codes in errors:
            for found in (not_given(error), not_answered(error)):
                assert found.detail == f"{type(error).__name__}: {codes}".removesuffix(": ")

    @pytest.mark.parametrize("name", ["spam", "full"])
    def test_that_is_refused_with_the_mail_is_known_not_to_have_been_taken(self, name: str) -> None:
        assert not_answered(BECAME[name][0]) == not_given(BECAME[name][0])

    @pytest.mark.parametrize(
        "error", [BECAME["cut"][0], BECAME["slow"][0], aiosmtplib.SMTPDataError(250, "OK")], ids=repr
    )
    def test_that_ends_in_another_way_once_the_mail_was_said_may_have_been_taken(
        self, error: Exception
    ) -> None:
        assert isinstance(not_answered(error), Unanswered)

    def test_that_succeeds_is_the_last(self) -> None:
        assert after(Given(), 3, 2, RETRY, ATTEMPTS_MAX, 0.5) == Step("sent")

    def test_for_good_is_not_made_again(self) -> None:
        step = after(NotGiven("mail_address", again=False), 0, 0, RETRY, ATTEMPTS_MAX, 0.5)
        assert (step.state, step.reason, step.due_s) == ("failed", "mail_address", None)

    @given(failures=st.integers(0, 40), spread=st.floats(0, 1))
    def test_whose_end_nobody_knows_is_made_again_a_few_times_only(
        self, failures: int, spread: float
    ) -> None:
        steps = [
            after(Unanswered(), failures, unanswered, RETRY, ATTEMPTS_MAX, spread)
            for unanswered in range(UNANSWERED_MAX)
        ]
        assert [step.unanswered for step in steps] == [1, 2, 3, 4]
        assert [step.state for step in steps] == ["queued"] * 3 + ["failed"]
        assert {(step.reason, step.failures) for step in steps} == {("no_answer", failures)}
        assert all(15 <= (step.due_s or 0) <= 3_600 for step in steps[:-1])

    @given(failures=st.integers(0, 200), spread=st.floats(0, 1))
    def test_waits_longer_each_time_up_to_an_hour_and_then_gives_up(
        self, failures: int, spread: float
    ) -> None:
        step = after(NotGiven("mail_later", again=True), failures, 0, RETRY, ATTEMPTS_MAX, spread)
        if failures + 1 >= ATTEMPTS_MAX:
            assert (step.state, step.due_s) == ("failed", None)
        else:
            longest = min(30 * 2.0**failures, 3_600)
            assert step.state == "queued"
            assert step.due_s is not None
            assert longest / 2 <= step.due_s <= longest


@pytest.mark.parametrize(
    "fields",
    [
        {"keys": ""},
        {"reply_address": None},
        {"reply_address": None, "keys": ""},
        {"reply_address": "a b@c.de"},
    ],
    ids=["no keys", "no address", "a door to nowhere", "no such address"],
)
def test_settings_that_cannot_work_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="reply_address"):
        settings(**fields)
