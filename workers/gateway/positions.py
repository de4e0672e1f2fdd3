"""Where a client stands in the notifications: the next offset of each partition, as one short word."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

WORD_CHARS_MAX = 4_096
_VERSION = 1


def encode(offsets: Sequence[int]) -> str:
    """The word for these offsets, one for each partition."""
    packed = bytearray([_VERSION])
    for offset in offsets:
        while offset > 0x7F:  # seven bits a byte, the smallest first
            packed.append(offset & 0x7F | 0x80)
            offset >>= 7  # noqa: PLW2901 - what is left of it
        packed.append(offset)
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(word: str) -> tuple[int, ...]:
    """The offsets that `word` stands for. Raises ValueError when it is none of ours."""
    if len(word) > WORD_CHARS_MAX:
        raise ValueError("too long")
    try:
        packed = base64.b64decode(word.encode() + b"=" * (-len(word) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError(str(error)) from error
    if not packed or packed[0] != _VERSION or packed[-1] > 0x7F:
        raise ValueError("of another version, or cut off")
    offsets, offset, shift = [], 0, 0
    for byte in packed[1:]:
        offset |= (byte & 0x7F) << shift
        shift += 7
        if byte <= 0x7F:
            offsets.append(offset)
            offset, shift = 0, 0
    return tuple(offsets)
