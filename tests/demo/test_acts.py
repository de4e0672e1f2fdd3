"""What agents asked for and what became of it, counted and checked."""

from __future__ import annotations

from typing import Any

from workers.local.demo.acts import Acts

LAN, MINH = ("agent:w/lan", "k1"), ("agent:w/minh", "k2")


def _asked(asker: tuple[str, str]) -> dict[str, str]:
    return {"actor": asker[0], "idempotency_key": asker[1], "conversation": "c"}


def _done(asker: tuple[str, str], epoch: int = 1) -> dict[str, Any]:
    return {**_asked(asker), "command": "claim", "result": {"epoch": epoch}}


def _taken(asker: tuple[str, str], winner: str) -> dict[str, Any]:
    return {**_asked(asker), "command": "claim", "code": "taken", "details": {"winner": winner}}


def _race() -> Acts:
    """lan was first, minh second."""
    acts = Acts()
    acts.see("commands", "claim", _asked(LAN))
    acts.see("commands", "claim", _asked(MINH))
    acts.see("commands", "claim", _asked(MINH))  # repeated, with its key
    acts.see("outcomes", "done", _done(LAN))
    acts.see("outcomes", "refused", _taken(MINH, "lan"))
    held = {"conversation": "c", "epoch": 1, "holder": "lan", "why": {"method": "claim"}}
    acts.see("assignments", "assigned", held)
    return acts


def _wrong(acts: Acts, told: dict[tuple[str, str], str] | None = None) -> tuple[int, ...]:
    told = told or {LAN: "done", MINH: "taken"}
    return acts.without_outcome(told), acts.repeated_outcomes(), acts.mistold(told, ()), acts.wrong_races()


def test_a_race_with_one_winner_is_counted_and_right() -> None:
    acts = _race()
    acts.see("commands", "set_presence", {"agent": "lan"})  # of a gateway: nobody asked
    acts.see("outcomes", "done", {**_done(LAN), "actor": "cli:apply"})
    for rejected in ([], ["minh"]):
        acts.see("assignments", "transferring", {"by": LAN[0], "command": "k3", "rejected": rejected})
    assert (acts.commands, acts.outcomes, acts.claims, acts.claims_lost) == (2, 2, 1, 1)
    assert (acts.refused, acts.transfers) == ({"taken": 1}, 1)
    assert _wrong(acts) == (0, 0, 0, 0)


def test_a_command_without_an_outcome_is_found_also_when_only_its_sender_knows_it() -> None:
    acts = _race()
    acts.see("actions", "say", {**_asked(LAN), "idempotency_key": "k4"})
    assert _wrong(acts) == (1, 0, 0, 0)
    assert _wrong(acts, {LAN: "done", ("agent:w/lan", "k5"): "done"}) == (2, 0, 0, 0)


def test_two_outcomes_of_one_command_are_found() -> None:
    acts = _race()
    acts.see("outcomes", "refused", _taken(MINH, "lan"))
    assert _wrong(acts) == (0, 1, 0, 0)


def test_who_was_told_otherwise_is_found() -> None:
    assert _wrong(_race(), {LAN: "taken", MINH: "taken"}) == (0, 0, 1, 0)


def test_who_was_turned_away_although_his_command_was_taken_is_found() -> None:
    acts = _race()
    assert acts.mistold({LAN: "done"}, [MINH]) == 1
    assert acts.mistold({LAN: "done"}, [("agent:w/ha", "k9")]) == 0


def test_two_winners_and_an_invented_winner_are_found() -> None:
    acts = _race()
    third, fourth = ("agent:w/ha", "k6"), ("agent:w/nga", "k7")
    for asker in (third, fourth):
        acts.see("commands", "claim", _asked(asker))
    acts.see("outcomes", "done", _done(third))
    acts.see("outcomes", "refused", _taken(fourth, "nobody"))
    assert _wrong(acts) == (0, 0, 0, 2)


def test_a_winner_who_never_had_it_is_found() -> None:
    acts = _race()
    acts.see("commands", "claim", {**_asked(LAN), "idempotency_key": "k8"})
    acts.see("outcomes", "done", {**_done(LAN, epoch=7), "idempotency_key": "k8"})
    assert _wrong(acts) == (0, 0, 0, 1)
