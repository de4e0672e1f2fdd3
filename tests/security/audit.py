"""`make audit`: whether anything that we install is known to be vulnerable, asked of OSV by pip-audit.

The last answer is kept in `.tongdai/audit.json`. Where OSV cannot be asked, that one is told, if it is of the
same pins; else that it could not be found out. Ends with 1 when something is vulnerable, else with 0; with
`--strict` also with 3 when there is no answer.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import orjson

LOCK, RECORD = Path("requirements.lock"), Path(".tongdai/audit.json")
TIMEOUT_S = 180
NOT_KNOWN = 3
_PIP_AUDIT = (
    "tool",
    "run",
    "pip-audit==2.*",
    "--disable-pip",
    "--progress-spinner",
    "off",
    "--format",
    "json",
)


class Finding(NamedTuple):
    """One package that has one known weakness."""

    package: str
    version: str
    id: str
    fixed_in: str


class Answer(NamedTuple):
    """What was found for these pins, and when."""

    at: str
    lock_sha256: str
    findings: list[Finding]


class UnknownError(Exception):
    """It could not be found out; the text says why."""


Ask = Callable[[Path], str]
"""Returns pip-audit's JSON. Raises UnknownError."""


def ask_osv(lock: Path) -> str:
    """Have pip-audit look every pin up."""
    # The uv that was set up with the project, else any.
    uv = Path(sys.executable).with_name("uv")
    program = str(uv) if uv.exists() else shutil.which("uv")
    if program is None:
        raise UnknownError("there is no uv to run pip-audit with: make setup")
    command = (program, *_PIP_AUDIT, "--vulnerability-service", "osv", "--requirement", str(lock))
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnknownError(f"pip-audit took longer than {TIMEOUT_S} s") from error
    if not done.stdout.strip():
        raise UnknownError((done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1][:300])
    return done.stdout


def read_report(text: str) -> list[Finding]:
    """The findings of pip-audit's JSON. Raises UnknownError when it is none, or says that it skipped some."""
    try:
        dependencies: list[dict[str, Any]] = orjson.loads(text)["dependencies"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise UnknownError(f"pip-audit's answer is no report: {text[:200]!r}") from error
    skipped = [one["name"] for one in dependencies if "skip_reason" in one]
    if skipped or not dependencies:
        raise UnknownError(f"pip-audit looked nothing up for {', '.join(skipped) or 'anything'}")
    return [
        Finding(one["name"], one["version"], found["id"], ", ".join(found["fix_versions"]))
        for one in dependencies
        for found in one["vulns"]
    ]


def audit(lock: Path, record: Path, ask: Ask) -> Answer:
    """What is known of these pins: asked now and kept, or as it was kept. Raises UnknownError."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    try:
        found = read_report(ask(lock))
    except UnknownError as error:
        kept = _kept(record)
        if kept is None or kept.lock_sha256 != digest:
            raise
        print(f"not asked now ({error}); the answer of {kept.at} is for the same pins", file=sys.stderr)  # noqa: T201
        return kept
    answer = Answer(datetime.now(UTC).isoformat(timespec="seconds"), digest, found)
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_bytes(orjson.dumps({**answer._asdict(), "findings": [one._asdict() for one in found]}))
    return answer


def _kept(record: Path) -> Answer | None:
    try:
        said = orjson.loads(record.read_bytes())
        return Answer(said["at"], said["lock_sha256"], [Finding(**one) for one in said["findings"]])
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError):
        return None


def main(arguments: Sequence[str] | None = None, ask: Ask = ask_osv) -> int:
    """Audit, and tell."""
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--lock", type=Path, default=LOCK)
    parser.add_argument("--record", type=Path, default=RECORD)
    parser.add_argument("--strict", action="store_true", help="fail when it could not be found out")
    options = parser.parse_args(arguments)
    try:
        answer = audit(options.lock, options.record, ask)
    except UnknownError as error:
        print(f"NOT AUDITED: {error}", file=sys.stderr)  # noqa: T201
        return NOT_KNOWN if options.strict else 0
    for one in answer.findings:
        print(f"{one.package} {one.version}: {one.id}, fixed in {one.fixed_in or 'no version yet'}")  # noqa: T201
    print(f"{len(answer.findings)} known vulnerabilities in {options.lock}, as of {answer.at}")  # noqa: T201
    return int(bool(answer.findings))


if __name__ == "__main__":
    sys.exit(main())
