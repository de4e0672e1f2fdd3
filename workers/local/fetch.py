"""`python -m workers.local.fetch`: gets from the network all that a start of the local servers needs."""

from __future__ import annotations

import sys

from workers.local.errors import LocalServerError
from workers.local.jars import kafka_jars


def main() -> int:
    """Fetches and verifies Apache Kafka; returns the exit code."""
    try:
        kafka_jars()
    except LocalServerError as error:
        print(error, file=sys.stderr)  # noqa: T201 - this is for the person who called
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
