"""Has mails read, one after another: their heads in a thread, their contents in a process that may fail."""

from __future__ import annotations

import asyncio
import signal

import orjson

from config.logging import get_logger
from schemas.base import ATTACHMENTS_MAX, TEXT_CHARS_MAX
from workers.channels.mail import opening
from workers.channels.mail.bounce import Bounce
from workers.channels.mail.head import Head, UnreadableMailError, read_head
from workers.channels.mail.reading import Attached, Content, beginning
from workers.channels.problem import OverloadedError
from workers.runtime.confined import Ended, run_confined

DEADLINE_S = 30.0
WAITING_MAX = 4
"""Mails whose content is read or waits for it: each lies in memory whole."""
RETRY_AFTER_S = 10.0
_OF_LIMITS = (-signal.SIGXCPU, -signal.SIGSEGV, -signal.SIGABRT)
"""How it ends when it has no more time, or a library no more memory."""

_log = get_logger(__name__)


class Opener:
    """Of one ingress."""

    def __init__(self) -> None:
        self._looking = asyncio.Semaphore(1)
        self._opening = asyncio.Semaphore(1)
        self._waiting = 0

    async def head(self, raw: bytes) -> Head:
        """The head of a mail. Raises UnreadableMailError."""
        async with self._looking:
            return await asyncio.to_thread(read_head, raw)

    async def beginning(self, raw: bytes) -> str:
        """The words with which a mail begins; empty when they cannot be read."""
        async with self._looking:
            return (await asyncio.to_thread(beginning, raw))[:TEXT_CHARS_MAX]

    async def content(self, raw: bytes) -> Content:
        """What a mail holds. Raises UnreadableMailError, and OverloadedError: it is to be sent again."""
        if self._waiting >= WAITING_MAX:
            raise _busy()
        self._waiting += 1
        try:
            async with self._opening:
                return _content(await run_confined(opening.__name__, deadline_s=DEADLINE_S, given=raw))
        except (TimeoutError, OSError) as error:
            _log.warning("mail_not_opened", error=error)
            raise _busy() from error
        finally:
            self._waiting -= 1


def _busy() -> OverloadedError:
    return OverloadedError("Too many mails are being read. Send it again.", retry_after_s=RETRY_AFTER_S)


def _content(ended: Ended) -> Content:
    if ended.code == opening.REFUSED:
        raise UnreadableMailError(ended.complaint.strip())
    if ended.code in _OF_LIMITS:
        raise UnreadableMailError("it takes too much time or memory to read")
    if ended.code:  # what it complains of may hold words of the mail
        _log.error("mail_not_opened", code=ended.code)
        raise _busy()
    head, _, data = ended.said.partition(b"\n")
    index = orjson.loads(head)
    attached, begin = [], 0
    for name, size in index["attached"][:ATTACHMENTS_MAX]:
        attached.append(Attached(name, data[begin : begin + size]))
        begin += size
    bounce = None if index["bounce"] is None else Bounce(*index["bounce"])
    return Content(index["text"][:TEXT_CHARS_MAX], tuple(attached), bounce)
