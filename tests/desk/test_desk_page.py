"""docs/desk.md says what the code does."""

from __future__ import annotations

from typing import get_args

import pytest
import yaml

from schemas.assignments import CareStatus
from schemas.definitions import Policy, Rule
from tests.desk.desk_page import BY_ITSELF, PAGE, from_workers, tables, written
from workers.routing.desk.decision import KIND_OF


def test_its_tables_are_those_of_the_code() -> None:
    text = PAGE.read_text()
    assert text == written(text), "write them anew: python -m tests.desk.desk_page"


def test_it_names_every_command_that_workers_send() -> None:
    text = PAGE.read_text()
    assert [KIND_OF[model].what for model in from_workers() if f"`{KIND_OF[model].what}`" not in text] == []


def test_every_care_status_says_what_comes_by_itself() -> None:
    assert set(BY_ITSELF) == set(get_args(CareStatus))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("claim", "taken"),
        ("claim", "expired"),
        ("reply_claim", "forbidden"),
        ("transfer", "target_offline"),
        ("release", "not_holder"),
        ("set_care", "reason_required"),
        ("appoint", "blocked"),
        ("configure", "unknown_…"),
        ("bulk", "incomplete"),
        ("block", "key_reused"),
    ],
)
def test_its_codes_are_found_through_what_a_command_calls(command: str, code: str) -> None:
    (row,) = [line for line in tables()["commands"] if line.startswith(f"| `{command}` |")]
    assert f"`{code}`" in row


def test_its_examples_are_rules_and_a_policy() -> None:
    (example,) = [part.partition("```")[0] for part in PAGE.read_text().split("```yaml\n")[1:]]
    said = yaml.safe_load(example)

    assert [Rule.model_validate(rule) for rule in said["rules"]]
    assert all(set(rule) <= set(Rule.model_fields) for rule in said["rules"])
    assert Policy.model_validate(said["policy"]) != Policy()
    assert set(said["policy"]) <= set(Policy.model_fields)
