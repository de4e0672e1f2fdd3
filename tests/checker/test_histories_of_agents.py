"""What agents say of a run: an honest history passes, and each lie of the gateway in it is caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from checker.facts.history import History
from checker.run import Run
from tests.checker.planted import Planted
from tests.checker.plants import clean

Lines = list[dict[str, Any]]
TOLD = "whoever was told an outcome was told the one on the topic, each time the same"
KNOWN = "each command that was taken has an outcome that its sender knows"
ORDER = "what was answered before something else was asked stands before it in the log"
PERSONAL = "each agent sees each notice to him once, in order, from his first to the last"
ONCE = "nobody sees a notice twice, or one that is on no topic"


def honest(planted: Planted) -> Lines:
    """Each command asked in the order of the log and answered at once; then everybody sees his notices."""
    lines: Lines = []
    for op, record in enumerate(planted.topics["outcomes"]):
        value = record.json()
        invoked = {"type": "invoke", "op": op, "call": value["command"], "at_ns": 10 * op}
        lines.append(invoked | {"actor": value["actor"], "key": value["idempotency_key"]})
        lines.append({"type": "ok", "op": op, "at_ns": 10 * op + 5, "said": value["result"]})
    for record in planted.topics["notifications"]:
        actor = (record.key or b"").decode()
        if actor.startswith("agent:"):
            lines.append({"type": "seen", "actor": actor, "notice": record.json()["notice"]})
    return lines


def violated(planted: Planted, lines: Lines) -> set[str]:
    """The titles of the checks that fail."""
    report = Run(planted, history=History(map(orjson.dumps, lines))).report()
    return {tally.title for tally in report.tallies if tally.violated}


def told(lines: Lines, **fields: object) -> None:
    """Change what the first agent was told."""
    agents = [line["op"] for line in lines if str(line.get("actor")).startswith("agent:") and "op" in line]
    next(line for line in lines if line["type"] == "ok" and line["op"] == agents[0]).update(fields)


def seen(lines: Lines) -> Lines:
    """The notices of somebody who has several."""
    of = [line for line in lines if line["type"] == "seen"]
    (most, *_) = sorted(of, key=lambda line: -sum(one["actor"] == line["actor"] for one in of))
    return [line for line in of if line["actor"] == most["actor"]]


def late(lines: Lines) -> None:
    """The first command of a partition was asked after the last one of it was answered."""
    of_agents = [line for line in lines if str(line.get("actor")).startswith("agent:") and "op" in line]
    first = of_agents[0]
    for line in lines:
        if line.get("op") == first["op"]:
            line["at_ns"] += 1_000_000


def repeated(lines: Lines) -> None:
    """Somebody asks again, and hears the same."""
    pair = [dict(line) for line in lines if line.get("op") == 1]
    lines += [line | {"op": 99, "at_ns": line["at_ns"] + 500} for line in pair]


HONEST: dict[str, Callable[[Lines], object]] = {
    "all of it": lambda _: None,
    "asked again": repeated,
    "no answer, then one": lambda lines: lines.insert(0, lines[0] | {"op": 98}),
    "turned away": lambda lines: lines.extend(
        [
            {"type": "invoke", "op": 97, "actor": "agent:acme/an", "key": "x", "call": "claim", "at_ns": 1},
            {"type": "fail", "op": 97, "at_ns": 2, "code": "forbidden", "said": None},
        ]
    ),
    "a gap after a reset": lambda lines: seen(lines)[1].update(notice=None),
    "came later": lambda lines: lines.remove(seen(lines)[0]),
}
LIES: dict[str, tuple[Callable[[Lines], object], str]] = {
    "another result": (lambda lines: told(lines, said={"epoch": 77}), TOLD),
    "refused, though done": (lambda lines: told(lines, type="fail", code="taken"), TOLD),
    "an outcome of nothing": (
        lambda lines: lines.extend(
            [
                {
                    "type": "invoke",
                    "op": 97,
                    "actor": "agent:acme/an",
                    "key": "x",
                    "call": "claim",
                    "at_ns": 1,
                },
                {"type": "ok", "op": 97, "at_ns": 2, "said": {}},
            ]
        ),
        TOLD,
    ),
    "never answered": (lambda lines: told(lines, type="unknown"), KNOWN),
    "turned away, though taken": (lambda lines: told(lines, type="fail", code="forbidden", said=None), KNOWN),
    "asked after the next one's answer": (late, ORDER),
    "a notice twice": (lambda lines: lines.append(seen(lines)[-1]), ONCE),
    "a notice of nothing": (lambda lines: seen(lines)[0].update(notice="?"), ONCE),
    "a gap": (lambda lines: lines.remove(seen(lines)[1]), PERSONAL),
    "the last one missed": (lambda lines: lines.remove(seen(lines)[-1]), PERSONAL),
    "out of order": (lambda lines: lines.append(lines.pop(lines.index(seen(lines)[0]))), PERSONAL),
}


@pytest.mark.parametrize("change", HONEST.values(), ids=HONEST)
def test_an_honest_history_passes(change: Callable[[Lines], object]) -> None:
    planted = clean()
    lines = honest(planted)
    change(lines)
    assert violated(planted, lines) == set()


@pytest.mark.parametrize(("change", "title"), LIES.values(), ids=LIES)
def test_a_lie_is_caught(change: Callable[[Lines], object], title: str) -> None:
    planted = clean()
    lines = honest(planted)
    change(lines)
    assert title in violated(planted, lines)


def test_a_command_that_is_repeated_stands_twice_in_the_log_with_one_outcome() -> None:
    planted = clean()
    asked = next(record for record in planted.topics["actions"] if record.what("actions") == "say")
    value = asked.json()
    id_ = f"{value['actor']}/{value['idempotency_key']}"
    again = asked._replace(headers=(("ce_id", id_.encode()), *asked.headers[1:]))
    planted.topics["actions"][planted.topics["actions"].index(asked)] = again
    ends = planted.ends("actions")
    planted.topics["actions"].append(again._replace(offset=ends[asked.partition]))
    lag = {"the lag of every group on every input is zero"}
    assert violated(planted, honest(planted)) == lag
