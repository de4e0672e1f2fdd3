"""Reports of mail servers that a mail was not delivered, as they write them (RFC 3464)."""

from __future__ import annotations

WORDS = "Content-Type: text/plain\r\n\r\nYour message could not be delivered.\r\n"
STATUS = (
    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n"
    "Final-Recipient: rfc822; an@example.com\r\nAction: {action}\r\nStatus: {status}\r\n"
)
RETURNED = (
    "Content-Type: {kind}\r\n\r\nFrom: cskh@shop.example\r\nMessage-ID:\r\n {mail}\r\nSubject: x\r\n\r\n"
)


def report(
    mail: str,
    action: str = "failed",
    status: str = "5.1.1",
    kind: str = "message/rfc822",
    to: str = "cskh@shop.example",
) -> bytes:
    """What comes back of the mail with this Message-ID to its envelope's sender."""
    parts = (WORDS, STATUS.format(action=action, status=status), RETURNED.format(kind=kind, mail=mail))
    head = (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.com\r\n"
        f"To: {to}\r\nAuto-Submitted: auto-replied\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    )
    return "".join((head, *(f"--b\r\n{part}\r\n" for part in parts), "--b--\r\n")).encode()
