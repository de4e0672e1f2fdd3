"""Reads the pages of a desk."""

from __future__ import annotations

import re
from collections.abc import Iterator

from schemas.definitions import ADMINS_MAX, PAGES_MAX, AutoText, AutoWords, Page
from schemas.ids import page_id
from workers.workspace.nodes import Fields, Node, Scalar
from workers.workspace.reader import Reader
from workers.workspace.scope import Scope
from workers.workspace.values import read_text

AUTO_TEXTS = ("greeting", "out_of_hours")
LANGUAGES = tuple(AutoText.model_fields)
_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+")


def read_pages(reader: Reader, node: Node | None, scope: Scope) -> Iterator[Page]:
    """Yield the pages; a page belongs to one desk, and its admins are agents of that desk."""
    for item in reader.items(node, "pages", limit=PAGES_MAX):
        fields = reader.fields(
            item, "a page", ("channel", "account", "name", "admins"), ("secrets", *AUTO_TEXTS)
        )
        channel = reader.channel(fields.get("channel"), "the channel of a page")
        account = reader.account(fields.get("account"), "the account of a page")
        who = f"the page {account}" if account else "a page"
        name = reader.name(fields.get("name"), f"the name of {who}")
        admins = _admins(reader, fields.get("admins"), scope, who)
        _check_secrets(reader, fields.get("secrets"), who)
        texts = {each: _auto_text(reader, fields.get(each), f"{each} of {who}") for each in AUTO_TEXTS}
        if not (channel and account):
            continue
        id_ = page_id(channel, account)
        if scope.add_page(reader, fields["account"], id_) and name and admins:
            yield Page(id=id_, name=name, admins=admins, **texts)


def _auto_text(reader: Reader, node: Node | None, what: str) -> AutoText | None:
    """Return a text that is sent by itself; none when nothing was said, or after noting a mistake."""
    if node is None:
        return None
    if not isinstance(node, Fields) or not node.pairs:
        reader.note(node, f"{what} names no language", "expected vi: … or en: …, or both")
        return None
    fields = reader.fields(node, what, (), LANGUAGES)
    texts = {each: read_text(reader, fields.get(each), f"{each} of {what}", AutoWords) for each in LANGUAGES}
    return AutoText(**texts) if any(texts.values()) else None


def _admins(reader: Reader, node: Node | None, scope: Scope, who: str) -> tuple[str, ...]:
    """Return the admins; the first is the owner, so there is one."""
    if node is None:
        return ()
    items = reader.items(node, f"admins of {who}", limit=ADMINS_MAX, at_least=1)
    return scope.agents.of_items(reader, items, who)


def _check_secrets(reader: Reader, node: Node | None, who: str) -> None:
    """Note each secret that is written out: files like these are shared, secrets are not."""
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return
    if not isinstance(node, Fields):
        reader.note(
            node,
            f"secrets of {who} are no mapping",
            "expected names with references, such as token: env:NAME",
        )
        return
    for _, value in node.pairs:
        if not (isinstance(value, Scalar) and _REFERENCE.fullmatch(value.text)):
            # The value is not repeated: it may be a secret.
            reader.note(value, f"a secret of {who} is not a reference", "expected env:NAME or file:PATH")
