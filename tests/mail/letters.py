"""Settings, keys and mails that the tests of e-mail share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from config.mail import MailSettings
from workers.channels.mail.address import ReplyAddresses
from workers.channels.mail.letter import Letter, Sender, mime
from workers.channels.mail.outgoing import Outgoing
from workers.channels.mail.parcel import Parcel

KEY, FORMER_KEY, DOOR_KEY = ("a key of the tests: number " + str(number) * 16 for number in (1, 2, 3))
TICKET, MESSAGE = UUID(int=77), UUID(int=99)
AT = datetime(2026, 11, 22, 8, 15, tzinfo=UTC)
DAY = timedelta(days=1)
SENDER = Sender("cskh@shop.example", "Cửa hàng An", "vi")


def settings(**fields: Any) -> MailSettings:  # noqa: ANN401 - of the settings
    values = {"reply_address": "reply@mail.example.com", "keys": KEY, "door_key": SecretStr(DOOR_KEY)}
    return MailSettings.model_validate(values | fields)


ADDRESSES = ReplyAddresses(settings())


def letter(**fields: Any) -> Letter:  # noqa: ANN401 - of the letter
    values = {
        "message": MESSAGE,
        "ticket": 3,
        "token": ADDRESSES.token(TICKET, AT),
        "to": "lan@example.com",
        "subject": "Hỏi giá",
        "text": "Dạ giá 120k ạ.\nChị lấy mấy hộp?",
        "written_at": AT,
    }
    return Letter(**{**values, **fields})


NOTHING = Parcel()


def written(parcel: Parcel = NOTHING, sender: Sender = SENDER, **fields: Any) -> Outgoing:  # noqa: ANN401
    """The mail that a letter becomes. Raises ValueError."""
    return mime(letter(**fields), sender, ADDRESSES, parcel)
