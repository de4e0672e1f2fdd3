"""When a runtime is ready, and when it counts as stuck."""

from __future__ import annotations

from workers.runtime.status import Status


def working(**more: object) -> Status:
    """A runtime that has its lanes and that last moved at second 100."""
    status = Status("intake", waiting_for=None, joined=True, moved_at=100.0, beat_at=100.0)
    for name, value in more.items():
        setattr(status, name, value)
    return status


def test_a_runtime_that_has_just_begun_is_not_ready() -> None:
    assert Status("intake").problems() == ["intake waits for its first assignment of lanes"]


def test_a_runtime_that_reached_its_servers_is_not_ready_before_the_group_has_assigned_lanes() -> None:
    status = Status("intake")
    status.go_on(100.0)
    assert status.problems() == ["intake waits for its first assignment of lanes"]


def test_a_runtime_that_works_is_ready_even_without_a_lane() -> None:
    assert working().problems() == []


def test_every_reason_not_to_be_ready_is_told() -> None:
    status = working(waiting_for="Kafka", stopped={2: "poison", 4: "reset"}, awaited=frozenset({3, 1}))
    assert status.problems() == [
        "intake waits for Kafka",
        "intake lane 2 is stopped: poison",
        "intake lane 4 is stopped: reset",
        "intake takes over lanes [1, 3]",
    ]


def test_work_that_does_not_move_is_stuck() -> None:
    assert working(lag=1, beat_at=130.0).stuck_s(130.0) == 30.0


def test_nothing_to_do_is_not_stuck() -> None:
    assert working(beat_at=130.0).stuck_s(130.0) == 0.0


def test_a_loop_that_does_not_come_round_is_stuck_even_without_work() -> None:
    assert working().stuck_s(130.0) == 30.0


def test_who_waits_for_a_server_is_not_stuck() -> None:
    assert working(lag=5, waiting_for="Kafka").stuck_s(1_000.0) == 0.0


def test_after_an_outage_the_time_counts_from_its_end() -> None:
    status = working(lag=5, waiting_for="Kafka")
    status.go_on(1_000.0)
    assert status.stuck_s(1_010.0) == 10.0


def test_terms_that_end_again_and_again_without_an_outage_do_not_count_as_moving() -> None:
    status = working(lag=5)
    status.go_on(1_000.0)
    assert status.stuck_s(1_010.0) == 910.0
