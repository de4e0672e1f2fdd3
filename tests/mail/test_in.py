"""Mails that come: what is read of them, whatever they hold."""

from __future__ import annotations

import time
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.mail.bounces import report
from tests.mail.letters import ADDRESSES, AT, MESSAGE, TICKET
from workers.channels.mail.frame import framed, own_words
from workers.channels.mail.head import UnreadableMailError, read_head
from workers.channels.mail.reading import DECODED_BYTES_MAX, PARTS_MAX, read_content

ADDRESS = ADDRESSES.address(ADDRESSES.token(TICKET, AT))


def reply(text: str = "Dạ em lấy 2 hộp", **headers: str) -> EmailMessage:
    message = EmailMessage()
    usual = {
        "From": "Lan <lan@example.com>",
        "To": ADDRESS,
        "Subject": "Re: [#3] Hỏi giá",
        "Message-ID": "<1@x>",
    }
    for name, value in {**usual, **headers}.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


class TestAReply:
    def test_says_who_what_and_where_to(self) -> None:
        raw = reply(Date="Sun, 22 Nov 2026 08:15:00 +0000").as_bytes()
        found = read_head(raw)
        assert (found.sender, found.subject) == ("lan@example.com", "Re: [#3] Hỏi giá")
        assert read_content(raw).text == "Dạ em lấy 2 hộp"
        assert (found.id, found.sent_at_ms) == ("<1@x>", int(AT.timestamp() * 1000))
        assert list(ADDRESSES.tokens(found.addressed, found.named)) == [ADDRESSES.token(TICKET, AT)]
        assert not found.automatic

    def test_of_html_alone_becomes_text(self) -> None:
        message = reply()
        message.set_content(
            "<style>p{}</style><p>Chào <b>shop</b></p><script>x()</script><p>2 hộp</p>", subtype="html"
        )
        assert [line for line in read_content(message.as_bytes()).text.splitlines() if line] == [
            "Chào shop",
            "2 hộp",
        ]

    def test_prefers_its_plain_text_and_names_its_files(self) -> None:
        message = reply("bằng chữ")
        message.add_alternative("<p>bằng html</p>", subtype="html")
        message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="hóa đơn.pdf")
        message.add_attachment(b"x", maintype="image", subtype="png")
        found = read_content(message.as_bytes())
        assert found.text == "bằng chữ"
        assert found.attached == (("hóa đơn.pdf", b"%PDF"), ("image/png", b"x"))

    def test_in_another_character_set_is_read(self) -> None:
        raw = b"From: a@b.cd\r\nContent-Type: text/plain; charset=windows-1258\r\n\r\nxin ch\xe0o"
        assert read_content(raw).text == "xin chào"

    @pytest.mark.parametrize(
        "headers",
        [
            {"Auto_Submitted": "auto-replied"},
            {"Auto_Submitted": "auto-generated; owner-email=x"},
            {"Precedence": "bulk"},
            {"List_Id": "<news.example.com>"},
            {"X_Autoreply": "yes"},
            {"Return_Path": "<>"},
            {"From": "Mail Delivery <MAILER-DAEMON@example.com>"},
        ],
        ids=["replied", "generated", "bulk", "list", "autoreply", "bounce", "daemon"],
    )
    def test_of_a_machine_is_known(self, headers: dict[str, str]) -> None:
        assert read_head(reply(**headers).as_bytes()).automatic

    def test_of_a_person_that_says_so_is_none(self) -> None:
        assert not read_head(reply(Auto_Submitted="no").as_bytes()).automatic

    def test_that_tells_of_a_failure_is_of_a_machine(self) -> None:
        head = b"From: a@b.cd\r\nContent-Type: multipart/report; boundary=x\r\n\r\n"
        raw = head + b"--x\r\n\r\nfailed\r\n--x--\r\n"
        assert read_head(raw).automatic


QUOTED = framed("Dạ giá 120k ạ.", "Cửa hàng An", 3, "vi", ())
HISTORIES: dict[str, str] = {
    "our line": QUOTED,
    "our line, quoted": "".join(f"> {line}\n" for line in QUOTED.splitlines()),
    "Gmail": "On Sun, Nov 22, 2026 at 8:15 AM Shop <cskh@shop.example> wrote:\n> Dạ giá 120k ạ.",
    "Gmail in two lines": "On Sun, Nov 22, 2026 at 8:15 AM Shop\n<cskh@shop.example> wrote:\n\n> giá",
    "Gmail in Vietnamese": "Vào CN, 22 thg 11, 2026 vào lúc 08:15 Shop <cskh@shop.example> đã viết:\n> giá",
    "Outlook": "-----Original Message-----\nFrom: Shop\nSent: today\n\nDạ giá 120k ạ.",
    "Outlook on the web": "________________________________\nFrom: Shop\nSent: today\n\nDạ giá 120k ạ.",
    "nothing but quotes": "> Dạ giá 120k ạ.\n>\n> -- \n> An",
}


class TestWhatIsQuoted:
    @pytest.mark.parametrize("name", HISTORIES)
    def test_below_a_reply_is_left_out(self, name: str) -> None:
        assert own_words(f"Em lấy 2 hộp.\n\nCảm ơn!\n\n{HISTORIES[name]}") == "Em lấy 2 hộp.\n\nCảm ơn!"

    def test_alone_is_kept(self) -> None:
        assert own_words("> trả lời\n> bên trong") == "> trả lời\n> bên trong"

    def test_between_the_lines_is_kept(self) -> None:
        said = "> giá bao nhiêu?\n120k\n> còn hàng?\ncòn"
        assert own_words(said) == said

    @given(st.text(max_size=200))
    def test_own_words_are_never_lost_altogether(self, text: str) -> None:
        assert bool(own_words(text)) == bool(text.strip())


class TestWhoWritesWhatHeLikes:
    @given(st.binary(max_size=3_000))
    def test_bytes_are_read_or_refused(self, raw: bytes) -> None:
        head, found = read_head(raw), read_content(raw)
        assert "\x00" not in found.text + head.subject + head.sender

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(
                    ("From", "Subject", "Date", "Message-ID", "Content-Type", "To", "References")
                ),
                st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=80),
            ),
            max_size=8,
        )
    )
    def test_headers_are_read_whatever_they_hold(self, headers: list[tuple[str, str]]) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        found = read_head(f"{head}\r\nchào".encode("latin-1"))
        assert found.subject.isprintable() or not any(ord(one) < 32 for one in found.subject)

    @pytest.mark.parametrize("charset", ["punycode", "idna", "zlib", "no-such", "unicode_escape", "\\x00"])
    def test_no_character_set_takes_long_or_fails(self, charset: str) -> None:
        head = f"From: a@b.cd\r\nContent-Type: text/plain; charset={charset}\r\n\r\n"
        begun_s = time.process_time()
        read_content(head.encode() + b"a-b" * DECODED_BYTES_MAX)
        assert time.process_time() - begun_s < 5

    def test_too_many_parts_are_refused_before_they_are_read(self) -> None:
        nested = "".join(
            f'Content-Type: multipart/mixed; boundary="{n}"\r\n\r\n--{n}\r\n' for n in range(PARTS_MAX + 1)
        )
        with pytest.raises(UnreadableMailError, match="parts"):
            read_content(nested.encode())

    def test_nested_messages_are_no_way_to_the_end_of_the_stack(self) -> None:
        raw = b"Content-Type: message/rfc822\r\n\r\n" * 5_000 + b"From: a@b.cd\r\n\r\nx"
        with pytest.raises(UnreadableMailError, match="parts"):
            read_content(raw)

    def test_deep_html_is_no_way_to_it_either(self) -> None:
        message: Any = reply()
        message.set_content("<div>" * 20_000 + "chào" + "</div>" * 20_000, subtype="html")
        assert read_content(message.as_bytes()).text in ("", "chào")


class TestAReport:
    @pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers"])
    @pytest.mark.parametrize(
        ("status", "reason"),
        [
            *(
                (status, "mail_address")
                for status in ("5.1.1", "5.1.10", "5.2.1", "5.4.4", "5.1.1 (no user)")
            ),
            *((status, "mail_bounced") for status in ("5.2.2", "5.7.1", "5.4.14", "unknown", "")),
        ],
    )
    def test_of_a_mail_that_has_failed_says_which_and_why(self, status: str, reason: str, kind: str) -> None:
        token = ADDRESSES.token(TICKET, AT)
        raw = report(ADDRESSES.message_id(token, MESSAGE), status=status, kind=kind)
        head, found = read_head(raw), read_content(raw)
        assert head.automatic
        assert head.report
        assert found.bounce is not None
        assert found.bounce.reason == reason
        assert list(ADDRESSES.messages(found.bounce.named)) == [(token, MESSAGE)]

    @pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", ""])
    def test_that_says_anything_else_is_no_failure(self, action: str) -> None:
        assert read_content(report("<1@x>", action)).bounce is None

    @given(st.integers(0, 900), st.integers(0, 900), st.binary(max_size=8))
    def test_that_is_broken_is_read_or_refused_as_any_mail(self, start: int, size: int, put: bytes) -> None:
        whole = report("<1@x>")
        raw = whole[:start] + put + whole[start + size :]
        try:
            read_content(raw)
        except UnreadableMailError:
            return
