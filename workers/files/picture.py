"""Opens one picture, in a process of its own: `python -m workers.files.picture PICTURE THUMBNAIL PIXELS`.

A picture is a program for its decoder. Here a bad one can take no more than this process has: so much memory,
so many seconds, no file but the thumbnail's. What is printed: width and height.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

from PIL import Image, ImageOps

from workers.runtime.confined import confine

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
THUMBNAIL_PIXELS = 320
MEMORY_BYTES_MAX = 1_073_741_824
"""Of addresses; a picture of 40 million pixels takes 160 MB of memory, and some decoders a second copy."""
PROCESSOR_S_MAX = 8
FILE_BYTES_MAX = 1_048_576
REFUSED = 1


def main(picture: str, thumbnail: str, pixels_max: str) -> int:
    """Write the thumbnail and print the picture's size; the exit code is REFUSED when it cannot be."""
    return carefully(int(pixels_max), lambda: _examine(picture, thumbnail))


def carefully(pixels_max: int, work: Callable[[], None]) -> int:
    """Do `work` within the limits, of this process and for good; the exit code."""
    confine(MEMORY_BYTES_MAX, PROCESSOR_S_MAX, FILE_BYTES_MAX)
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    Image.MAX_IMAGE_PIXELS = pixels_max
    try:
        work()
    except Exception as error:  # noqa: BLE001 - decoders raise whatever they like
        print(f"{type(error).__name__}: {error}"[:200], file=sys.stderr)  # noqa: T201
        return REFUSED
    return 0


def on_paper(pixels: Image.Image) -> Image.Image:
    """Without anything that stood beside the pixels, such as where it was taken, and on white."""
    plain = pixels.convert("RGBA")
    paper = Image.new("RGB", plain.size, "white")
    paper.paste(plain, mask=plain)
    return paper


def _examine(picture: str, thumbnail: str) -> None:
    with Image.open(picture, formats=FORMATS) as opened:  # reads the head alone, and refuses too many pixels
        width, height = opened.size
        opened.draft("RGB", (THUMBNAIL_PIXELS * 2, THUMBNAIL_PIXELS * 2))  # a JPEG is decoded smaller
        small = ImageOps.exif_transpose(opened)
        turned = small.size[0] > small.size[1] and width < height
        small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
        on_paper(small).save(thumbnail, "JPEG", quality=80)
    print(height if turned else width, width if turned else height)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
