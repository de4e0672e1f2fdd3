"""Invariant 3, transfers: offered by the holder to who is online, one at a time, answered by who was asked.

Each function says what is wrong with an event, given how its conversation stood; empty: nothing.
"""

from __future__ import annotations

from checker.facts.chains import Link
from checker.facts.conversation import Conversation, moment
from checker.facts.desk_state import DeskState

ENDED_BEFORE = frozenset(("unassigned", "session_closed", "blocked"))
"""A transfer that waits is ended by an event of its own before these, and before anybody else gets it."""
AGAIN_BY = frozenset(("transfer_reject", "set_leave", "configure", "amend"))
"""What makes it be told again, beside agents who come online, with the command of who offered it."""
ASKED_MAX = 200
"""So many are named at most."""
SAME = ("to_agent", "to_department", "by", "command", "expires_at")


def overtaken(_: DeskState, was: Conversation, link: Link) -> str:
    """Nothing else may end a transfer in silence."""
    if was.transfer is None:
        return ""
    given = link.what == "assigned" and link.method != "transfer"
    finished = link.what == "care_changed" and "done" in (link.care, was.care)
    is_in_between = given or finished or link.what in ENDED_BEFORE
    return "comes while a transfer waits for its answer" if is_in_between else ""


def accepted(state: DeskState, was: Conversation, link: Link) -> str:
    """An accepted one goes to somebody who was asked, in time."""
    if link.method != "transfer":
        return ""
    if was.transfer is None:
        return "nobody had offered to transfer it"
    if link.holder not in _targets(state, was) or link.holder in was.transfer.get("rejected", ()):
        return f"{link.holder} was not asked to take it over"
    expires_at = moment(was.transfer, "expires_at")
    return "accepted too late" if expires_at is not None and link.at_ms >= expires_at else ""


def offered(state: DeskState, was: Conversation, link: Link) -> str:
    """It is offered by its holder, to one agent or department, for as long as the policy says."""
    said = link.said
    if was.holder is None or ("to_agent" in said) == ("to_department" in said):
        return f"held by {was.holder}, to {said.get('to_agent')} and {said.get('to_department')}"
    if was.holder in said.get("agents", ()):
        return "is offered to its holder"
    if was.transfer is not None:
        return _again(state, link, was)
    if "again" in said:
        return "is told again, though none waits"
    away = [one for one in said.get("agents", ()) if state.agent(one).presence != "online"]
    if away or not said.get("agents"):
        return f"{away or 'nobody'} is asked, who is not online"
    expires_ms = link.at_ms + state.policy.get("transfer_timeout_s", 120) * 1000
    return "" if moment(said, "expires_at") == expires_ms else "not for as long as the policy says"


def ended(state: DeskState, was: Conversation, link: Link) -> str:
    """It ends as what it says has come about."""
    if was.transfer is None:
        return "no transfer waited for an answer"
    how, agent = link.said.get("how"), link.said.get("agent")
    expires_at = moment(was.transfer, "expires_at")
    if how == "expired" and expires_at is not None and link.at_ms < expires_at:
        return "expired before its time"
    if how == "target_offline" and state.agent(agent).presence != "offline":
        return f"{agent} is not offline"
    if how == "rejected" and agent not in _targets(state, was):
        return f"{agent} was not asked"
    if how == "target_left" and (left := who_can_take(state, was)):
        return f"{left} can still take it"
    return ""


def who_can_take(state: DeskState, conversation: Conversation) -> set[str]:
    """Who can still answer a transfer: asked, of the desk, not on leave and not offline."""
    rejected = (conversation.transfer or {}).get("rejected", ())
    asked = _targets(state, conversation).difference(rejected)
    agents = {name: state.agent(name) for name in asked}
    return {
        name
        for name, agent in agents.items()
        if agent.active and not agent.on_leave and agent.presence != "offline"
    }


def misses(state: DeskState, conversation: Conversation) -> set[str]:
    """Who is asked and cannot take it any more, wherever he is, or could, is online, and is not asked."""
    asked = (conversation.transfer or {}).get("agents", ())
    expires_at = moment(conversation.transfer or {}, "expires_at")
    is_over = expires_at is not None and state.at_ms >= expires_at
    here = {one for one in who_can_take(state, conversation) if state.agent(one).presence == "online"}
    unasked = set() if is_over or len(asked) >= ASKED_MAX else here.difference(asked)
    return unasked | (set() if is_over else _gone(state, conversation))


def _gone(state: DeskState, conversation: Conversation) -> set[str]:
    """Who was asked, and is on leave, or not of the desk or the department any more."""
    asked = set((conversation.transfer or {}).get("agents", ()))
    away = {name for name in asked if not state.agent(name).active or state.agent(name).on_leave}
    return away | (asked - _targets(state, conversation))


def _again(state: DeskState, link: Link, was: Conversation) -> str:
    """One of a department has rejected it, others are asked by now: for the same time, and nobody else."""
    before, said = was.transfer or {}, link.said
    kept = all(before.get(name) == said.get(name) for name in SAME)
    refusals = len(said.get("rejected", ())) - len(before.get("rejected", ()))
    again = said.get("again")
    if kept and refusals == 1 and again in {None, "rejected"}:  # none: of a desk that did not say so yet
        return ""
    are_others = kept and refusals == 0 and again in {None, "asked"} and _are_others(state, link, was)
    return "" if are_others else "a second transfer, while one waits"


def _are_others(state: DeskState, link: Link, was: Conversation) -> bool:
    """Those before but for who cannot any more, then who can and is online, or whoever is left; in time."""
    before = (was.transfer or {})["agents"]
    stay = [agent for agent in before if agent not in _gone(state, was)]
    came = link.said["agents"][len(stay) :]
    expires_at = moment(link.said, "expires_at")
    is_in_time = expires_at is None or link.at_ms < expires_at
    here = [agent for agent in came if state.agent(agent).presence == "online"]
    return (
        is_in_time
        and link.said["agents"] not in (before, [])
        and link.said["agents"][: len(stay)] == stay
        and who_can_take(state, was).issuperset(came)
        and set(came).isdisjoint(stay)
        and (here == came or not (stay or here))
    )


def _targets(state: DeskState, was: Conversation) -> set[str]:
    """Who may answer: the agent, or any of the department but the holder."""
    transfer = was.transfer or {}
    if "to_agent" in transfer:
        return {transfer["to_agent"]}
    return state.asked(f"department:{transfer.get('to_department')}") - {was.holder or ""}
