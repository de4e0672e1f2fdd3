"""docs/settings.md: every setting has a meaning, and the page is not stale."""

from __future__ import annotations

from config.problem import variable
from config.settings import Settings
from config.variables import setting_paths
from tests.config.settings_page import PAGE, inner, meanings, page, sections


def test_every_setting_says_what_it_means() -> None:
    for _, section in sections():
        for each in (section, *(of for _, of in inner(section))):
            assert set(each.model_fields) == set(meanings(each)), each


def test_the_page_is_not_stale() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [name for path in setting_paths(Settings) if f"`{(name := variable(*path))}`" not in text] == []
    assert text == page(), "write it: python -m tests.config.settings_page"
