"""What a run says of something that the checker cannot see: in the checker's words."""

from __future__ import annotations

from typing import Any


def outcome(invariant: int, title: str, checked: int, wrong: list[str], **more: object) -> dict[str, Any]:
    """A check of so many things, of which these were wrong."""
    return {
        "invariant": invariant,
        "title": title,
        "holds": not wrong,
        "checked": checked,
        "violations": len(wrong),
        "witness": wrong[0] if wrong else None,
        **more,
    }
