"""Invariant 7, how somebody is found: the first rule that matches, its method, and who waits in his order."""

from __future__ import annotations

from checker.facts.chains import Chain, Link
from checker.facts.conversation import Conversation, moment
from checker.facts.desk_state import BY_ITSELF, DeskState, Rule
from checker.facts.matching import first_rule
from checker.report import Tally

IN_TURN = frozenset(("round_robin", "least_busy"))
WAITS = frozenset(("queued", "offered"))
VIP, URGENT, USUAL = 0, 1, 2
NEVER = -1


class Dealing:
    """Watches a replay."""

    def __init__(self) -> None:
        self.matched = Tally(7, "the first rule that matches decides")
        self.pooled = Tally(7, "what an agent who stayed away loses is offered to its page")
        self.least = Tally(7, "of a rule that asks the least busy, the least busy gets it")
        self.order = Tally(7, "who waits is served by priority, then by age")
        self.placed = Tally(7, "who waits has the priority that his rule says, and keeps his age")
        self._away: set[str] = set()

    @property
    def tallies(self) -> list[Tally]:
        return [self.matched, self.pooled, self.least, self.order, self.placed]

    def before(self, state: DeskState, chain: Chain, link: Link) -> None:
        """Check an event against the state that it was decided on."""
        was = state.conversation(chain)
        by_itself = link.what == "assigned" and link.method in BY_ITSELF
        if link.what in WAITS or by_itself:
            self.matched.judge(link.rank, _rule_fault(state, chain, was, link), chain.where(link))
        if link.what in WAITS:
            self.placed.judge(link.rank, _place_fault(state, was, link), chain.where(link))
        if by_itself and link.method == "least_busy":
            self.least.judge(link.rank, _load_fault(state, was, link), chain.where(link))
        if by_itself and (was.standing == "queued" or link.method in IN_TURN):
            self.order.judge(link.rank, _order_fault(state, chain, was, link), chain.where(link))
        self._pool(chain, link, was)

    def _pool(self, chain: Chain, link: Link, was: Conversation) -> None:
        if chain.conversation in self._away and link.what != "unfollowed":
            self._away.discard(chain.conversation)
            audience = link.said.get("audience")
            expected = f"page:{chain.page}"
            fault = "" if audience == expected else f"{link.what} to {audience}, expected {expected}"
            self.pooled.judge(link.rank, fault, chain.where(link))
        loses = link.what == "unassigned" and link.said.get("how") == "offline"
        if loses and was.session_open and not was.blocked:
            self._away.add(chain.conversation)


def _rule_fault(state: DeskState, chain: Chain, was: Conversation, link: Link) -> str:
    """Who waits is served by the rule that he waits for; everybody else, and who changes it, by the first."""
    named = link.said.get("fallback_of") or link.rule
    if was.standing in WAITS and was.rule is not None and _goes_on(state, was, link):
        return ""
    first = first_rule(state, chain.page, was.facts)
    asked = {first} if first is None or link.what != "offered" else {name for name, _ in state.ways(first)}
    return "" if named in asked else f"names the rule {named}, the first that matches is {first}"


def _goes_on(state: DeskState, was: Conversation, link: Link) -> bool:
    if link.what == "assigned":
        return was.standing == "queued" and (link.said.get("fallback_of") or link.rule) == was.rule
    if link.what == "queued" or was.standing == "offered":
        return link.rule == was.rule
    return link.rule in dict(state.ways(was.rule or ""))


def _place_fault(state: DeskState, was: Conversation, link: Link) -> str:
    since, offset = was.queued_at, was.queued_offset
    expected = (link.at_ms, link.cause_offset) if since is None else (since, offset)
    told = moment(link.said, "queued_at"), link.said.get("queued_offset")
    if told != expected:
        return f"waits since {told}, it was {expected}"
    priority = _priority(state.rules.get(link.rule or ""), was, link.at_ms - (expected[0] or 0))
    said = link.said.get("priority")
    return "" if said == priority else f"priority {said}, expected {priority}"


def _priority(rule: Rule | None, was: Conversation, waited_ms: int) -> int:
    definition = rule.definition if rule else {}
    if set(definition.get("vip_tags", ())) & set((was.facts or {}).get("tags", ())):
        return VIP
    urgent_after_s = definition.get("urgent_after_s")
    return URGENT if urgent_after_s is not None and waited_ms >= urgent_after_s * 1000 else USUAL


def _load_fault(state: DeskState, was: Conversation, link: Link) -> str:
    rule = state.rules.get(link.rule or "", Rule())
    ranks = {
        agent: (state.agent(agent).load, _got_ms(state, agent))
        for agent in rule.listed_since
        if agent == link.holder or not state.bar(agent, rule, was)
    }
    least = min(ranks, key=lambda agent: ranks[agent], default=link.holder)
    holder = ranks.get(link.holder or "")
    if holder is None or least is None or ranks[least] >= holder:
        return ""
    return (
        f"{link.holder} has {holder[0]} since {holder[1]}, {least} {ranks[least][0]} since {ranks[least][1]}"
    )


def _got_ms(state: DeskState, agent: str) -> int:
    got_ms = state.agent(agent).got_ms
    return NEVER if got_ms is None else got_ms


def _order_fault(state: DeskState, chain: Chain, was: Conversation, link: Link) -> str:
    """Somebody who waits for the same rule, goes before, and could have had the same agent."""
    under = was.rule if was.standing == "queued" else link.said.get("fallback_of") or link.rule
    rule = state.rules.get(link.rule or "", Rule())
    for other in state.rules.get(under or "", Rule()).waiting - {chain.conversation}:
        waiting = state.conversations[other]
        is_ahead = was.standing != "queued" or _place(waiting) < _place(was)
        if is_ahead and not state.bar(link.holder or "", rule, waiting):
            return f"{link.holder} was due to {waiting.key}"
    return ""


def _place(one: Conversation) -> tuple[int, int, int, str]:
    return one.priority, one.queued_at or 0, one.queued_offset or 0, one.key
