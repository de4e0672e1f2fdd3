"""Inputs for parsers: something real, bent in a few places, drawn in some microseconds.

Each is a function of a `Random`, so that a seed gives the same input again.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

PIECES = (
    *(b"\x00", b"\xff", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\x1b[2J", b"\xc2\x9b", b"\r\n", b"\\u0000"),
    *(b"\\ud800", b'"', b"'", b"\\", b"{", b"}", b"[", b"]", b":", b",", b"null", b"true", b"NaN", b"-"),
    *(b"9" * 30, b"9" * 5_000, b"1e999", b"-0", b"1e-999", b"[" * 300, b'{"":' * 300, b"{}" * 50),
    *(b"%00", b"&a *a", b"!!python/object:os.system", b"<<: *x", b"---\n", b"\xef\xbb\xbf"),
    b"\xf0\x9f\x98\x80",
)
ODD = "\x00\x1b\x7f\x85\x9b\u00ad\u0301\u2028\u202e\ufeff\uffff\U0001f600İßﬁ٣²"
_USUAL = "aZ09 .:/-_=+%&?@#\"'\\{}[]()<>,;\n\tđạ"


def bent(random: Random, whole: Sequence[bytes]) -> bytes:
    """One of `whole` with up to five pieces put in or over what was there; or nothing like it."""
    if random.random() < 1 / 16:
        return random.randbytes(random.randrange(200))
    content = bytearray(random.choice(whole))
    for _ in range(random.choice((0, 1, 1, 1, 2, 5))):
        at = random.randrange(len(content) + 1)
        content[at : at + random.choice((0, 1, 1, 4, 40))] = _piece(random, whole)
    return bytes(content)


def bent_text(random: Random, whole: Sequence[str]) -> str:
    """The same as text; some of it with half a character, some of it any."""
    if random.random() < 1 / 3:
        return text(random)
    return bent(random, [each.encode() for each in whole]).decode(errors="surrogateescape")


def text(random: Random, longest: int = 60) -> str:
    """Any characters, usual and odd ones."""
    alphabet = _USUAL + ODD if random.random() < 1 / 2 else _USUAL
    found = random.choices(alphabet, k=random.randrange(longest + 1))
    if random.random() < 1 / 8:
        found.append(chr(random.randrange(0xD800)))
    return "".join(found)


def _piece(random: Random, whole: Sequence[bytes]) -> bytes:
    """Something that is known to be hard, a few bytes, or a part of something real."""
    draw = random.random()
    if draw < 1 / 2:
        return random.choice(PIECES)
    if draw < 3 / 4:
        return random.randbytes(random.randrange(7))
    donor = random.choice(whole)
    at = random.randrange(len(donor) + 1)
    return donor[at : at + random.randrange(60)]
