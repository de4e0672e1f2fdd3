"""Pictures that invented visitors send: a small one, each of another colour."""

from __future__ import annotations

from io import BytesIO
from random import Random

from PIL import Image

SIZE = (48, 32)


def invent_picture(random: Random) -> bytes:
    """A PNG."""
    into = BytesIO()
    colour = tuple(random.randrange(256) for _ in range(3))
    Image.new("RGB", SIZE, colour).save(into, "PNG")
    return into.getvalue()
