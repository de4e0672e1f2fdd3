"""Whose a website's page is: believed for a second, and who is there is told when it is another's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workers.channels.website.owners import MAX_AGE_S, Owners

PAGES = ("web:a", "web:b")


class Registry:
    """As Postgres has it; counts how often it was asked."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.asked = 0

    async def fetch(self, _: str, pages: list[str]) -> list[tuple[str, str]]:
        self.asked += 1
        return [(page, self.rows[page]) for page in pages if page in self.rows]

    async def fetchval(self, _: str, page: str) -> str | None:
        self.asked += 1
        return self.rows.get(page)


async def test_what_was_seen_is_believed_for_a_second_and_that_nobody_has_it_never() -> None:
    registry, clock = Registry(), [0.0]
    owners = Owners(registry, PAGES, lambda *_: None, lambda: clock[0])
    registry.rows = {"web:a": "acme"}
    assert await owners.workspace("web:a") == "acme"  # nothing was seen yet
    await owners.look()
    registry.rows, registry.asked = {"web:b": "globex"}, 0
    clock[0] = MAX_AGE_S / 2
    assert await owners.workspace("web:a") == "acme"
    assert registry.asked == 0
    assert await owners.workspace("web:b") == "globex"
    clock[0] = MAX_AGE_S
    assert await owners.workspace("web:a") is None


owned = st.dictionaries(st.sampled_from(PAGES), st.sampled_from(["acme", "globex"]))


@given(st.lists(owned, max_size=8))
async def test_each_change_is_told_once(turns: list[dict[str, str]]) -> None:
    registry, told = Registry(), dict[str, str | None]()
    owners = Owners(registry, PAGES, told.update)
    before: dict[str, str] = {}
    for rows in turns:
        registry.rows = rows
        await owners.look()
        changed = {page for page in PAGES if before.get(page) != rows.get(page)}
        assert told == {page: rows.get(page) for page in changed}
        told.clear()
        before = rows
