"""Large pictures are made smaller until platforms that take little take them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.files.test_files import bomb
from workers.files.pictures import Pictures
from workers.files.shrinking import BYTES_MAX, SIDE_FIRST, SIDE_MIN, first_try, needs_smaller, next_try


def noise(side: int) -> bytes:
    """A PNG that cannot be packed: three bytes of each pixel."""
    file = io.BytesIO()
    Image.merge("RGB", [Image.effect_noise((side, side), 200)] * 3).save(file, "PNG", compress_level=0)
    return file.getvalue()


@given(
    width=st.integers(1, 20_000),
    height=st.integers(1, 20_000),
    bytes_max=st.integers(1, 2 * BYTES_MAX),
    made=st.lists(st.integers(1, 100 * BYTES_MAX), min_size=13, max_size=13),
)
def test_tries_become_smaller_and_end(width: int, height: int, bytes_max: int, made: list[int]) -> None:
    """Whatever the encoder makes of them."""
    trying = first_try(width, height)
    assert trying.side == min(max(width, height), SIDE_FIRST)
    for size_bytes in made:
        following = next_try(trying, size_bytes + bytes_max, bytes_max)
        if following is None:
            return
        assert (following.side, following.quality) < (trying.side, trying.quality)
        assert following.side >= SIDE_MIN or following.side == trying.side
        trying = following
    pytest.fail("it has no end")


@given(st.integers(SIDE_MIN, 20_000), st.floats(0.05, 4))
def test_a_picture_whose_bytes_go_with_its_pixels_fits_soon(side: int, bytes_of_pixel: float) -> None:
    """A photograph has a quarter of a byte for each pixel, noise has one and a half."""
    trying, tries = first_try(side, side), 1
    while (size_bytes := int(trying.side**2 * bytes_of_pixel)) > BYTES_MAX:
        following = next_try(trying, size_bytes, BYTES_MAX)
        assert following is not None
        trying, tries = following, tries + 1
    assert tries <= 4
    assert trying.side in (side, SIDE_FIRST) or size_bytes > BYTES_MAX / 4


def test_only_pictures_that_stand_still_and_are_too_large_need_one() -> None:
    assert needs_smaller("image/png", BYTES_MAX + 1)
    assert not needs_smaller("image/png", BYTES_MAX)
    assert not needs_smaller("image/gif", 9 * BYTES_MAX)
    assert needs_smaller("image/webp", 9)
    assert not needs_smaller("image/heic", 9)


async def test_a_smaller_copy_fits_stands_upright_and_says_nothing_of_its_maker(tmp_path: Path) -> None:
    large, told = tmp_path / "large", Image.Exif()
    told[0x0112], told[0x010F] = 6, "camera"  # lies on its side
    with Image.open(io.BytesIO(noise(1_500))) as square:
        square.crop((0, 0, 1_500, 1_000)).save(large, "JPEG", quality=100, exif=told)
    assert needs_smaller("image/jpeg", large.stat().st_size)
    copy = await Pictures(40_000_000).smaller(large)
    assert copy is not None
    assert BYTES_MAX / 4 < copy.stat().st_size <= BYTES_MAX
    with Image.open(copy) as found:
        assert found.format == "JPEG"
        assert found.height == pytest.approx(found.width * 1.5, abs=2)
        assert not found.getexif()


@pytest.mark.parametrize("pixels_max", [1_000_000, 200_000_000], ids=["by pixels", "by memory"])
async def test_what_cannot_be_opened_within_the_limits_has_none(tmp_path: Path, pixels_max: int) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bomb(14_000, 14_000))
    assert await Pictures(pixels_max).smaller(large) is None


def moving(frames: int) -> bytes:
    file, pages = io.BytesIO(), [Image.new("RGB", (20, 10), (40 * number, 0, 0)) for number in range(frames)]
    pages[0].save(file, "WEBP", save_all=True, append_images=pages[1:])
    return file.getvalue()


@pytest.mark.parametrize(("frames", "has_copy"), [(1, True), (3, False)], ids=["still", "moving"])
async def test_webp_becomes_a_jpeg_unless_it_moves(tmp_path: Path, frames: int, *, has_copy: bool) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(moving(frames))
    copy = await Pictures(40_000_000).smaller(path)
    assert (copy is not None) == has_copy
    if copy is not None:
        with Image.open(copy) as found:
            assert (found.format, found.size) == ("JPEG", (20, 10))
