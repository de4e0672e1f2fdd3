"""What a change of a record's schema would break; used on the last release's schemas and today's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_WORDS = ("enum", "x-extensible-enum")


def breaks(old: Schema, new: Schema, *, ours: bool) -> list[str]:
    """Return what breaks when `new` replaces `old`, each with the path of the field.

    `ours`: we write these records and others read them; otherwise others write them and we read.
    """
    return list(_Comparison(old, new, ours=ours).of(old, new, ""))


class _Comparison:
    """Walks two schemas side by side, following references into their `$defs`."""

    def __init__(self, old: Schema, new: Schema, *, ours: bool) -> None:
        self.old, self.new, self.ours = old, new, ours

    def of(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        old, new = _resolved(old, self.old), _resolved(new, self.new)
        yield from self._types(old, new, path)
        yield from self._words(old, new, path)
        yield from self._fields(old, new, path)
        yield from self._required(old, new, path)
        for name in ("items", "additionalProperties"):
            if isinstance(old.get(name), dict) and isinstance(new.get(name), dict):
                yield from self.of(old[name], new[name], f"{path}[]")

    def _types(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        before, after = _types_of(old), _types_of(new)
        if before and after and not (after <= before if self.ours else before <= after):
            yield f"{path}: its type was {sorted(before)} and would be {sorted(after)}"

    def _words(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        for word in sorted(_words_of(old) - _words_of(new)):
            yield f"{path}: the word {word!r} would be gone"
        if "enum" in new and "enum" not in old and _words_of(old):
            yield f"{path}: no words but those that are known would be taken any more"

    def _fields(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        for name, field in old.get("properties", {}).items():
            if name not in new.get("properties", {}):
                yield f"{path}.{name}: the field would be gone"
            else:
                yield from self.of(field, new["properties"][name], f"{path}.{name}")

    def _required(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        before, after = set(old.get("required", ())), set(new.get("required", ()))
        lost, demanded = (before - after, set()) if self.ours else (set(), after - before)
        yield from (f"{path}.{name}: would not be there always" for name in sorted(lost))
        yield from (f"{path}.{name}: would be demanded" for name in sorted(demanded))


def _resolved(schema: Schema, root: Schema) -> Schema:
    """Follow a reference, and go into the one alternative of `anyOf` that is not null."""
    if "$ref" in schema:
        return _resolved(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root)
    alternatives = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(alternatives) == 1 and "properties" not in schema:
        inner = _resolved(alternatives[0], root)
        return {**inner, "type": sorted(_types_of(inner) | {"null"})}
    return schema


def _words_of(schema: Schema) -> set[str]:
    """The words that are known, whether or not others are taken, too."""
    return {word for name in _WORDS for word in schema.get(name, ())}


def _types_of(schema: Schema) -> set[str]:
    found = schema.get("type", [])
    return {found} if isinstance(found, str) else set(found)
