"""A map over another one: changes stay in it, and the one beneath is not touched."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import TypeVar, overload

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")


class Layer(MutableMapping[K, V]):
    """Reads through to `base`; keeps its own writes. Nothing can be deleted, since nothing needs to be."""

    __slots__ = ("_base", "_own")

    def __init__(self, base: MutableMapping[K, V]) -> None:
        self._base = base
        self._own: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        own = self._own
        return own[key] if key in own else self._base[key]

    @overload
    def get(self, key: K, default: None = None) -> V | None: ...
    @overload
    def get(self, key: K, default: V | D) -> V | D: ...
    def get(self, key: K, default: V | D | None = None) -> V | D | None:
        own = self._own
        return own[key] if key in own else self._base.get(key, default)

    def __setitem__(self, key: K, value: V) -> None:
        self._own[key] = value

    def __delitem__(self, key: K) -> None:
        raise TypeError(f"{key!r} cannot be deleted: decisions only add and replace")

    def __iter__(self) -> Iterator[K]:
        yield from self._base
        yield from (key for key in self._own if key not in self._base)

    def __len__(self) -> int:
        return sum(1 for _ in self)
