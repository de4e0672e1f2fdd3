"""The words of HTML, line by line. Nothing is laid out: no tables, no styles, no images.

Each element is visited once, so it takes as long as the text is.
"""

from __future__ import annotations

import re

from lxml import etree

_UNSEEN = frozenset(("head", "script", "style", "title", "template", "noscript", "object", "svg"))
_PARAGRAPHS = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre"))
_LINES = frozenset(("div", "tr", "li", "dt", "dd", "hr", "section", "article", "header", "footer", "center"))
_CELLS = frozenset(("td", "th"))
_SPACES = re.compile(r"\s+")


def words_of(html: str) -> str:
    """What somebody reads who is shown it; empty when it is none."""
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        tree = etree.fromstring(html.encode(), parser)
    except etree.LxmlError:
        return ""
    return "" if tree is None else _walked(tree)


def _walked(tree: etree._Element) -> str:
    page, walker = _Page(), etree.iterwalk(tree, events=("start", "end"))
    for event, element in walker:
        if event == "start":
            page.begin(element.tag)
            if element.tag in _UNSEEN:
                walker.skip_subtree()
            else:
                page.say(element.text)
        else:
            page.end(element.tag)
            page.say(element.tail)
    return page.text()


class _Page:
    """Lines, of which the last is being written."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._preformatted = 0

    def begin(self, tag: str) -> None:
        self._preformatted += tag == "pre"
        self._part(tag)

    def end(self, tag: str) -> None:
        if tag == "br":
            self._lines.append(self._written())
        self._part(tag)
        self._preformatted -= tag == "pre"

    def say(self, words: str | None) -> None:
        if not words:
            return
        first, *others = words.splitlines() if self._preformatted else [words]
        self._line.append(first)
        for line in others:
            self._lines.append(self._written())
            self._line.append(line)

    def text(self) -> str:
        self._end_line()
        return "\n".join(self._lines).strip()

    def _part(self, tag: str) -> None:
        """What stands between the tag's words and others'."""
        if tag in _CELLS:
            self._line.append(" ")
        if tag in _PARAGRAPHS or tag in _LINES:
            self._end_line()
        if tag in _PARAGRAPHS and self._lines and self._lines[-1]:
            self._lines.append("")

    def _end_line(self) -> None:
        if written := self._written():
            self._lines.append(written)

    def _written(self) -> str:
        line, self._line = "".join(self._line), []
        return line.rstrip() if self._preformatted else _SPACES.sub(" ", line).strip()
