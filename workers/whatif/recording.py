"""The recorded log of one desk, from the records of its partition."""

from __future__ import annotations

from schemas.envelope import moment
from schemas.ids import desk_key
from workers.routing.desk.reading import read
from workers.runtime.batch import Record
from workers.runtime.refusal import RefusedError
from workers.whatif.replay import Recorded


class Recording:
    """Gives each record its moment, as the lane does: the log's time, never going back."""

    def __init__(self, workspace: str, desk: str) -> None:
        self._key = desk_key(workspace, desk).encode()
        self._at_ms = 0

    def of(self, record: Record) -> Recorded | None:
        """The command of `record`; none when it is another desk's, or was refused then as it is now."""
        self._at_ms = max(self._at_ms, record.timestamp_ms)
        if record.key != self._key:
            return None
        try:
            command = read(record)
        except RefusedError:
            return None
        return Recorded(record.lane, record.offset, moment(self._at_ms), command)
