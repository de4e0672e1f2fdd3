"""The rule about addresses: from what a connector names, files and pictures can be fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from workers.conformance.seen import Seen
from workers.conformance.verdict import Fault, Rule, Verdict, judge
from workers.files.named import FETCHED_TYPES
from workers.outside.guard import is_public

ADDRESSES = Rule(
    "addresses",
    "files and pictures are at whole addresses, http:// or https://, of public hosts",
    "give the address at which anybody can fetch it",
    "send a message with an attachment that has a url",
)


def check_addresses(records: Sequence[Seen]) -> Verdict:
    """What of the records' addresses will never be fetched."""
    named = [(each, place, url) for each in records for place, url in _addresses(each.fields)]
    faults = [Fault(each.place, f"{place}: {why}") for each, place, url in named if (why := _fault(url))]
    return judge(ADDRESSES, len(named), faults)


def _addresses(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each, with where it stands; what is no text is told by other rules."""
    picture, attachments = fields.get("customer_picture"), fields.get("attachments")
    if isinstance(picture, str):
        yield "customer_picture", picture
    for number, each in enumerate(attachments if isinstance(attachments, list) else ()):
        if isinstance(each, dict) and each.get("type") in FETCHED_TYPES and isinstance(each.get("url"), str):
            yield f"attachments.{number}.url", each["url"]


def _fault(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is no address: {error}"
    if parts.scheme not in {"http", "https"}:
        return "begins with neither http:// nor https://"
    if not host:
        return "names no host"
    return None if _may_be_public(host) else f"{host} is no public host"


def _may_be_public(host: str) -> bool:
    """Of a name nobody can tell here."""
    try:
        return is_public(ip_address(host))
    except ValueError:
        return host != "localhost"
