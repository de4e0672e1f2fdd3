"""The workspace of the runs."""

from __future__ import annotations

from typing import Any, cast

from faults.result import QUIET_S
from faults.town import configuration
from schemas.commands import Configure


def test_what_is_quiet_in_the_town_is_so_for_less_than_a_run_may_take_to_rest() -> None:
    policy = Configure.model_validate(cast("dict[str, Any]", configuration(0))).policy
    assert policy is not None
    assert policy.outside_quiet_s < QUIET_S / 2
