"""A power cut takes the end of a log, and leaves what Kafka can begin with again."""

from __future__ import annotations

from pathlib import Path

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from faults.power_cut import cut_logs, kept_bytes

MARKER = b"\x00\x00\x00\x01"
"""The key of a control record: committed."""


def batch(*, producer: int = -1, is_marker: bool = False) -> bytes:
    """A record batch of one record."""
    builder = DefaultRecordBatchBuilder(2, 0, int(producer >= 0), producer, 0, 0, 4096)
    builder.append(0, 1_000, MARKER if is_marker else b"key", b"value", [])
    made = bytearray(builder.build())
    made[22] |= 0x20 if is_marker else 0
    return bytes(made)


def test_whole_batches_are_kept_up_to_the_part() -> None:
    log = batch() + batch() + batch()
    assert kept_bytes(log, len(log)) == len(log)
    assert kept_bytes(log, len(log) - 1) == 2 * len(batch())
    assert kept_bytes(log + bytes(500), len(log) + 500) == len(log)
    assert kept_bytes(b"", 0) == 0


def test_no_transaction_is_kept_without_its_end() -> None:
    log = [batch(), batch(producer=7), batch(producer=8), batch(producer=7, is_marker=True)]
    end = batch(producer=8, is_marker=True)
    assert kept_bytes(b"".join(log), len(b"".join(log))) == len(log[0])
    assert kept_bytes(b"".join([*log, end]), len(b"".join([*log, end]))) == len(b"".join([*log, end]))


def test_only_the_logs_of_our_topics_are_cut(tmp_path: Path) -> None:
    for name in ("tongdai.inbound.v1-0", "__consumer_offsets-3"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "00000000000000000000.log").write_bytes(batch() * 10)
    assert cut_logs(tmp_path, "tongdai") == 3 * len(batch())
    assert (tmp_path / "__consumer_offsets-3" / "00000000000000000000.log").read_bytes() == batch() * 10
