"""E-mail out of tickets and back into them: the address of replies, what signs it, how it is tried."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from config.keys import Key, Keys
from config.retry import RetrySection
from config.section import PositiveInt, PositiveSeconds

ReplyAddress = Annotated[
    str,
    Field(pattern=r"^[a-z0-9]([a-z0-9._-]{0,13}[a-z0-9])?@[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=200),
]
"""What stands before the @ leaves room for the token: an address has at most 64 characters there."""


class MailSettings(RetrySection):
    """Of the delivery worker, which sends, and of the ingress, to which replies come."""

    reply_address: ReplyAddress | None = None
    """As `reply@mail.example.com`: mails that are sent to `reply+…@mail.example.com` come to the ingress."""
    keys: Keys = ()
    """Sign the addresses of replies, separated by commas: the first signs, all are taken."""
    door_key: Key | None = None
    """Signs what the mail server posts to the ingress; without it nothing is taken."""
    bounces: Literal["page", "reply"] = "page"
    """Where a mail that cannot be delivered comes back: to the page's own address, or to that of replies, if
    the pages' mail servers allow it. Only what comes to the ingress tells that a mail has failed."""
    reply_days: Annotated[PositiveInt, Field(le=3_650)] = 180
    """So long an address leads back into its ticket."""
    body_limit_bytes: Annotated[int, Field(ge=65_536, le=52_428_800)] = 26_214_400
    """Of a mail that comes, with its attachments."""
    files_bytes_max: Annotated[int, Field(ge=0, le=52_428_800)] = 10_485_760
    """Of the files within one mail that is sent, as they are: in it they take a third more, and most mail
    servers take 20 MB or 25 MB. What is beyond it goes as a link."""
    link_days: Annotated[PositiveInt, Field(le=365)] = 30
    """Such a link is good for so long at most, and for half of it at least."""
    request_timeout_s: Annotated[PositiveSeconds, Field(le=300)] = 30.0
    """From connecting to the mail server until it takes the mail."""
    answer_timeout_s: Annotated[PositiveSeconds, Field(le=1_800)] = 600.0
    """From then to its answer: some look through a mail first, and RFC 5321 gives them ten minutes. Who gives
    up earlier sends again what they have taken."""
    page_parallel_max: Annotated[PositiveInt, Field(le=100)] = 4
    """Mails of one page under way at once, in each worker."""
    retry_first_s: PositiveSeconds = 30.0
    """The waits between attempts double from this one."""
    retry_last_s: PositiveSeconds = 3_600.0
    """To this one."""
    attempts_max: Annotated[PositiveInt, Field(le=1_000)] = 48
    """Attempts in a row, then a mail has failed: with the waits between them, about two days."""

    @model_validator(mode="after")
    def _has_keys(self) -> MailSettings:
        if (self.reply_address is None) != (not self.keys):
            raise ValueError("reply_address and keys go together: replies must be told from forged ones")
        if self.door_key is not None and self.reply_address is None:
            raise ValueError("door_key is of no use without reply_address and keys")
        return self
