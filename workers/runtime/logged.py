"""What every line of the log says that is written while a batch is worked on."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from structlog.contextvars import bound_contextvars


def logged(kind: str, batches: Mapping[int, int]) -> AbstractContextManager[None]:
    """Lines within have `kind`, and `lane` and `batch_no`, or of several lanes `batches`.

    `batches`: by lane, the number of its batch.
    """
    if len(batches) == 1:
        [(lane, batch_no)] = batches.items()
        return bound_contextvars(kind=kind, lane=lane, batch_no=batch_no)
    return bound_contextvars(kind=kind, batches=dict(batches))
