"""`python -m checker`: exits 0 when everything holds, 1 when something is violated, 2 when nobody can say."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import orjson
import psycopg
from aiokafka.errors import KafkaError

from checker.facts.history import History
from checker.invariants.ledger import Ledger
from checker.report import Report
from checker.run import Run
from checker.servers import Servers
from checker.tables import Tables
from checker.topics import Topics, UnreadableTopicError

T = TypeVar("T")
HOLDS, VIOLATED, UNKNOWN = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the servers that the arguments name and print the report; returns the exit code."""
    options = _parser().parse_args(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it has to say comes as an error too
    try:
        report = _checked(options)
    except (KafkaError, psycopg.Error, UnreadableTopicError, TimeoutError, OSError) as error:
        sys.stderr.write(f"Nothing can be said: {error or type(error).__name__}\n")
        return UNKNOWN
    if options.json:
        sys.stdout.write(orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        sys.stdout.write(report.as_text() + "\n")
    return {True: HOLDS, False: VIOLATED, None: UNKNOWN}[report.holds]


def _checked(options: argparse.Namespace) -> Report:
    ledger = _read(Ledger, options.expected)
    history = _read(History, options.history)
    with (
        Topics(options.bootstrap_servers, options.prefix) as topics,
        Tables(options.dsn) as tables,
        _lines(options.readers) as readers,
    ):
        return Run(Servers(topics, tables), ledger, history, readers).report()


def _read(kind: Callable[[Iterable[bytes]], T], path: Path | None) -> T | None:
    with _lines(path) as lines:
        return None if lines is None else kind(lines)


@contextmanager
def _lines(path: Path | None) -> Iterator[Iterable[bytes] | None]:
    """The lines of a file, if there is one; what was not finished, as its writer was killed, is none."""
    if path is None:
        yield None
        return
    with path.open("rb") as file:
        yield (line for line in file if line.endswith(b"\n"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m checker",
        description="Checks from topics and tables alone that nothing was lost, doubled, out of order "
        "or unfair. Stop the workers first: what is under way counts as missing.",
    )
    parser.add_argument("--bootstrap-servers", required=True, metavar="HOST:PORT", help="Kafka's addresses")
    parser.add_argument("--dsn", required=True, help="the database, postgresql://…")
    parser.add_argument("--prefix", default="tongdai", help="of the topics and groups (default: tongdai)")
    parser.add_argument(
        "--expected", type=Path, metavar="FILE", help="what was sent to inbound, as JSON lines"
    )
    parser.add_argument("--history", type=Path, metavar="FILE", help="what agents did and were told")
    parser.add_argument("--readers", type=Path, metavar="FILE", help="what readers were shown meanwhile")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
