"""Makes a picture smaller, in its own process: `python -m workers.files.smaller PICTURE COPY PIXELS BYTES`.

With the limits of the process that makes thumbnails, and for the same reason. What is written is a JPEG of at
most BYTES; nothing is printed.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image, ImageOps

from workers.files.picture import FORMATS, carefully, on_paper
from workers.files.shrinking import SIDE_FIRST, first_try, next_try


def main(picture: str, smaller: str, pixels_max: str, bytes_max: str) -> int:
    """Write the smaller copy; the exit code says whether there is one."""

    def make() -> None:
        Path(smaller).write_bytes(_fitting(_pixels(picture), int(bytes_max)))

    return carefully(int(pixels_max), make)


def _pixels(picture: str) -> Image.Image:
    """Upright, and no larger than is tried first. Raises ValueError when it moves."""
    with Image.open(picture, formats=FORMATS) as opened:
        if opened.format == "WEBP" and getattr(opened, "is_animated", False):
            raise ValueError("it would stand still")
        opened.draft("RGB", (SIDE_FIRST, SIDE_FIRST))
        upright = ImageOps.exif_transpose(opened)
    upright.thumbnail((SIDE_FIRST, SIDE_FIRST))
    return on_paper(upright)


def _fitting(pixels: Image.Image, bytes_max: int) -> bytes:
    """Raises ValueError when nothing that is worth looking at fits."""
    trying = first_try(*pixels.size)
    while True:
        data = _written(pixels, trying.side, trying.quality)
        if len(data) <= bytes_max:
            return data
        following = next_try(trying, len(data), bytes_max)
        if following is None:
            raise ValueError("it cannot be made small enough")
        trying = following


def _written(pixels: Image.Image, side: int, quality: int) -> bytes:
    copy, file = pixels.copy(), io.BytesIO()
    copy.thumbnail((side, side))
    copy.save(file, "JPEG", quality=quality)
    return file.getvalue()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
