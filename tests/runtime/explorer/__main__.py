"""Explores with wider bounds than the tests: `python -m tests.runtime.explorer --workers 3 --crashes 1`."""

from __future__ import annotations

import argparse
import sys
import time

from tests.runtime.explorer.search import explore
from tests.runtime.explorer.world import Budget, first


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.runtime.explorer", description=__doc__)
    parser.add_argument("--workers", type=int, default=2, choices=range(1, 9))
    parser.add_argument(
        "--units",
        default="rt",
        help="what there is to do: r a record, t a timer; lanes between commas (default: %(default)s)",
    )
    for name, default in Budget()._asdict().items():
        parser.add_argument(f"--{name}", type=int, default=default, help="at most (default: %(default)s)")
    parser.add_argument("--limit", type=int, default=5_000_000, help="states (default: %(default)s)")
    return parser.parse_args()


def main() -> int:
    """Explore, tell, and return 1 when something is wrong."""
    arguments = _arguments()
    budget = Budget(**{name: getattr(arguments, name) for name in Budget._fields})
    began = time.monotonic()
    found = explore(first(arguments.workers, arguments.units.split(","), budget), limit=arguments.limit)
    print(f"{found}\n{time.monotonic() - began:.1f} s")  # noqa: T201  what it is for
    return 0 if found.wrong is None else 1


if __name__ == "__main__":
    sys.exit(main())
