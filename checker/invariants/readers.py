"""What readers were shown while all was at work, as they wrote it down themselves.

A file of JSON lines, each flushed before its reader goes on; `at_ns`, if it is there, is for people. Of a
reader of topics, which reads each partition on and on from the beginning, or from where it last went:

`{"type": "seek", "topic": "messages", "partition": 3, "offset": 0}`: it goes there
`{"type": "poll", "topic": "messages", "partition": 3, "offsets": [0, 1], "ids": ["…", "…"], "sums": [7, 9]}`:
it was shown these records; `ids` are their `ce_id`, `sums` the CRC-32 of key and value, one behind the other

And of one that looks at tables: `{"type": "snapshot", "conversations": […]}`, how some conversations stood at
one moment. Each is

`{"conversation": "…", "position": 2, "seq": 3, "epoch": 1, "holder": "lan", "positions": [1, 2],
"messages": ["…"], "desk": {"seq": 3, "event": "…", "epoch": 1, "holder": "lan"}}`: its row of intake, where
its lines stood, the ids of the last of these, and its row of the desk (null: none)
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from checker.facts.chains import Chains
from checker.facts.drained import Drained
from checker.facts.transcripts import Transcripts
from checker.invariants.polls import PollsCheck
from checker.invariants.snapshots import SnapshotsCheck
from checker.record import LogRecord
from checker.report import Tally


class ReadersCheck:
    """Watches topics while others read them; then goes through the lines, which are many, one by one."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self._drained = Drained()

    def watch(self, topic: str, records: Iterable[LogRecord]) -> Iterable[LogRecord]:
        """Pass the records on."""
        return self._drained.watch(topic, records)

    def walk(self, chains: Chains, transcripts: Transcripts) -> list[Tally]:
        """Check every line, once the topics were read."""
        polls, snapshots = PollsCheck(self._drained), SnapshotsCheck(chains, transcripts)
        for line in map(orjson.loads, self._lines):
            match line["type"]:
                case "poll":
                    polls.see(line)
                case "seek":
                    polls.seek(line)
                case _:
                    snapshots.see(line)
        polls.finish()
        return [*polls.tallies, *snapshots.tallies]
