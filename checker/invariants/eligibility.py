"""Invariant 7: no automatic assignment above capacity, or to one outside of the rule, desk or workspace."""

from __future__ import annotations

from checker.facts.chains import Chain, Link
from checker.facts.desk_log import Step
from checker.facts.desk_state import DeskState
from checker.report import Tally


class Eligibility:
    """Watches a replay."""

    def __init__(self) -> None:
        self.eligible = Tally(7, "nobody was automatically assigned above capacity or outside of the rule")
        self.waiting = Tally(7, "nobody waits while an agent of the rule is eligible")

    @property
    def tallies(self) -> list[Tally]:
        return [self.eligible, self.waiting]

    def before(self, state: DeskState, chain: Chain, link: Link) -> None:
        """Check an event against the state that it was decided on."""
        if link.what == "assigned" and link.method is not None:
            self.eligible.checked += 1
            fault = _fault(state, chain, link)
            if fault:
                self._fail(self.eligible, chain, link, fault)
        if link.what == "queued":
            self.waiting.checked += 1
            free = [agent for agent in state.listed(link.rule or "") if state.agent(agent).eligible]
            if free:
                self._fail(self.waiting, chain, link, f"queued while {free[0]} of {link.rule} was eligible")

    def after(self, state: DeskState, last: Step) -> None:
        """Check after a decision that nobody who became free in it was left without those who wait."""
        for agent in state.freed:
            if not state.agent(agent).eligible:
                continue
            for name, rule in state.rules.items():
                if rule.waiting and agent in rule.listed_since:
                    self.waiting.fail(
                        (last.offset,),
                        f"after the command at offset {last.offset} {len(rule.waiting)} conversations wait "
                        f"under {name} while {agent} is eligible",
                    )
        state.freed.clear()

    @staticmethod
    def _fail(tally: Tally, chain: Chain, link: Link, fault: str) -> None:
        tally.fail(
            (link.cause_offset, link.seq),
            f"{chain.key} seq {link.seq} (command at offset {link.cause_offset}): {fault}",
        )


def _fault(state: DeskState, chain: Chain, link: Link) -> str:
    holder, rule = link.holder or "", state.rules.get(link.rule or "")
    agent = state.agents.get(holder)
    if agent is None or not agent.active:
        return f"{holder} is no agent of the desk {chain.workspace}:{chain.desk}"
    if rule is None or holder not in rule.listed_since:
        return f"{holder} is not of the rule {link.rule}"
    if rule.version != link.rule_version:
        return f"names version {link.rule_version} of {link.rule}, it was {rule.version}"
    if not link.was_queued and chain.page not in rule.definition.get("pages", ()):
        return f"the rule {link.rule} is not for {chain.page}"
    if not agent.eligible:
        return f"{holder} had {agent.load} of {agent.capacity}"
    return ""
