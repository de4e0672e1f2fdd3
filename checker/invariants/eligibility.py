"""Invariant 7: nobody is assigned automatically who is not eligible; nobody outside of the desk is at all.

And its other side: nobody waits for whom somebody could be found.
"""

from __future__ import annotations

from collections.abc import Iterable

from checker.facts.chains import Chain, Link
from checker.facts.conversation import Conversation
from checker.facts.desk_log import Step
from checker.facts.desk_state import BY_ITSELF, DeskState, Rule
from checker.report import Tally

LIMITS = ("gap_s", "window")


class Eligibility:
    """Watches a replay."""

    def __init__(self) -> None:
        self.eligible = Tally(7, "nobody was automatically assigned above capacity or outside of the rule")
        self.known = Tally(7, "nobody outside of the desk was assigned, and what goes beyond limits says so")
        self.waiting = Tally(7, "nobody waits while an agent of the rule is eligible")
        self.heard = Tally(7, "what is offered to a rule's agents calls somebody")

    @property
    def tallies(self) -> list[Tally]:
        return [self.eligible, self.known, self.waiting, self.heard]

    def before(self, state: DeskState, chain: Chain, link: Link) -> None:
        """Check an event against the state that it was decided on."""
        self.waiting.checked += link.what == "queued"
        if link.what != "assigned":
            return
        checks = [(self.known, _known_fault)]
        if link.method in BY_ITSELF:
            checks.append((self.eligible, _fault))
        for tally, check in checks:
            tally.judge(link.rank, check(state, chain, link), chain.where(link))

    def after(self, state: DeskState, last: Step) -> None:
        """Check after a decision that nobody is left waiting for whom somebody could be found now."""
        for name, rule in state.rules.items():
            if rule.waiting:
                self._line(state, name, rule, last)
        for audience, offered in state.offers.items():
            self._offers(state, audience, offered if state.stirred else offered & state.moved, last)
        state.freed.clear()
        state.stirred.clear()
        state.moved.clear()

    def _offers(self, state: DeskState, audience: str, offered: set[str], last: Step) -> None:
        """Look at what is offered to one of a rule's rings."""
        if not offered:
            return
        name, _, ring = audience.removeprefix("rule:").rpartition("/")
        called = _at_work(state, name, int(ring))
        for each in offered:
            conversation = state.conversations[each]
            is_deaf = called <= conversation.declined
            fault = f"nobody hears the offer of {conversation.key}" if is_deaf else ""
            self.heard.judge((last.offset,), fault, last.where)

    def _line(self, state: DeskState, name: str, rule: Rule, last: Step) -> None:
        """Look at all who wait for a rule when somebody may have become free for it, else at newcomers."""
        limited = any(way.definition.get(limit) for _, way in state.ways(name) for limit in LIMITS)
        anybody = limited or not state.freed.isdisjoint(_named(state, name))
        seen: set[tuple[str, frozenset[str]]] = set()
        for waiting in rule.waiting if anybody else rule.waiting & state.moved:
            conversation = state.conversations[waiting]
            group = conversation.channel, conversation.declined
            if group in seen:
                continue
            seen.add(group)
            found = found_for(state, name, conversation) or _pool(state, name, conversation)
            if found is not None:
                fault = f"{conversation.key} waits under {name} while {found} is eligible"
                self.waiting.fail((last.offset,), f"{last.where}: {fault}")


def found_for(state: DeskState, name: str, conversation: Conversation) -> str | None:
    """Somebody to whom the rule, or one that it falls back on, could give or offer the conversation now."""
    last = None
    for way, rule in state.ways(name):
        last = rule
        found = next(iter(_found(state, way, rule, conversation)), None)
        if found is not None:
            return found
    kind, agent = last.fallback if last else ("", "")
    if last is None or kind != "agent" or state.bar(agent, last, conversation):
        return None
    return agent


def _pool(state: DeskState, name: str, conversation: Conversation) -> str | None:
    """What has it when all whom the rule, and those it falls back on, could ever ask have declined it."""
    left = (agent for agent in _named(state, name) - conversation.declined if state.agent(agent).active)
    return "its page's pool" if conversation.declined and next(left, None) is None else None


def _found(state: DeskState, name: str, rule: Rule, conversation: Conversation) -> Iterable[str]:
    if rule.method == "appoint":
        return ("an admin of the page",)
    if rule.method == "self_claim":
        return _called(state, name, rule, conversation)
    return (agent for agent in rule.listed_since if not state.bar(agent, rule, conversation))


def _called(state: DeskState, name: str, rule: Rule, conversation: Conversation) -> Iterable[str]:
    """Whom an offer of the rule would call, in any ring: however busy he is."""
    for ring in range(rule.rings):
        yield from _at_work(state, name, ring) - conversation.declined


def _at_work(state: DeskState, name: str, ring: int) -> set[str]:
    """Whom an offer of the rule to this ring calls, but for those who have declined."""
    rule = state.rules.get(name, Rule())
    online_only = rule.definition.get("online_only")
    members = {member: state.agent(member) for member in state.members(name, ring)}
    return {
        member
        for member, agent in members.items()
        if agent.active and not agent.on_leave and (agent.presence == "online" or not online_only)
    }


def _named(state: DeskState, name: str) -> set[str]:
    """Everybody whom the rule, or one that it falls back on, could ask."""
    ways = list(state.ways(name))
    rings = (state.members(way, ring) for way, rule in ways for ring in range(rule.rings))
    return {rule.fallback[1] for _, rule in ways}.union(*rings)


def _is_listed(state: DeskState, holder: str, name: str, rule: Rule, method: str | None) -> bool:
    """Whether a method of the rule could find him: whoever had it before may be of any of its rings."""
    if method == "fallback":
        return holder == rule.fallback[1]
    if method not in {"last_agent", "reopened"}:
        return holder in rule.listed_since
    return any(holder in state.members(name, ring) for ring in range(rule.rings))


def _known_fault(state: DeskState, chain: Chain, link: Link) -> str:
    agent = state.agent(link.holder)
    if not agent.active:
        return f"{link.holder} is no agent of the desk {chain.workspace}:{chain.desk}"
    if link.method in BY_ITSELF:
        return ""
    beyond = {
        "capacity": agent.is_full(state.conversation(chain).channel),
        "offline": agent.presence == "offline",
        "on_leave": agent.on_leave,
    }
    expected = {word for word, is_so in beyond.items() if is_so}
    told = set(link.said.get("exceeds", ()))
    return "" if told == expected else f"it goes beyond {sorted(expected)}, and says {sorted(told)}"


def _fault(state: DeskState, chain: Chain, link: Link) -> str:
    holder, name = link.holder or "", link.rule or ""
    rule = state.rules.get(name)
    if rule is None or rule.version != link.rule_version:
        return f"names version {link.rule_version} of {name}, it was {rule.version if rule else 'unknown'}"
    first = link.said.get("fallback_of") or name
    if not state.rules.get(first, Rule()).is_for(chain.page) or name not in dict(state.ways(first)):
        return f"the rule {name}, asked for {first}, is not for {chain.page}"
    if not _is_listed(state, holder, name, rule, link.method):
        return f"{holder} is not of the rule {name}"
    bar = state.bar(holder, rule, state.conversation(chain))
    agent = state.agent(holder)
    return f"{holder} was not eligible ({bar}): {agent.load} of {agent.capacity}" if bar else ""
