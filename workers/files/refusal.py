"""Why a file is not taken."""

from __future__ import annotations

from typing import Literal

Code = Literal["empty", "too_large", "too_slow", "kind_not_taken"]


class FileRefusedError(Exception):
    """A file is not taken; the text says why, and never what is in it."""

    def __init__(self, code: Code, sentence: str) -> None:
        super().__init__(sentence)
        self.code: Code = code
