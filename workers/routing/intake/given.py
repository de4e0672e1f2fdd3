"""What the records of a batch need to know beside their conversations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas.actions import Action, Say, SetLabels, SetProfile
from schemas.assignments import ChainEvent, Offered
from workers.routing.intake import customer_rows, outcome_rows, quoting
from workers.routing.intake.admission import Admitted, Said, Told
from workers.routing.intake.conversations import Conversations
from workers.routing.intake.customer import Customer
from workers.routing.intake.dedupe import find_seen
from workers.routing.intake.outcomes import asker_of
from workers.routing.intake.own import Own, find_own
from workers.routing.intake.policies import Policies
from workers.routing.intake.quoting import Quoted
from workers.routing.intake.rules import Rules
from workers.routing.intake.work import Work
from workers.runtime.handler import Connection


@dataclass(slots=True)
class Given:
    """Looked up before a batch; the pure part reads it."""

    policies: Policies
    rules: Rules
    seen: set[str] = field(default_factory=set)
    """Ids of messages that were stored before."""
    customers: dict[str, Customer] = field(default_factory=dict)
    """Those of whom an action says something, by conversation."""
    quoted: Quoted = field(default_factory=dict)
    own: dict[str, Own] = field(default_factory=dict)
    """Echoes of what we have sent ourselves, by the id that they would have in the transcript."""


class Lookup:
    """Looks things up for batches.

    Args:
        conversations: those that the records concern, as far as they exist.
    """

    def __init__(self, conversations: Conversations, policies: Policies, rules: Rules) -> None:
        self._conversations = conversations
        self._policies = policies
        self._rules = rules

    async def give(self, connection: Connection, work: Work, admitted: list[Admitted]) -> Given:
        """What `admitted` need. Only batches with actions ask for more than messages do."""
        said = [one for one in admitted if isinstance(one, Said)]
        told = [one for one in admitted if isinstance(one, Told)]
        await self._policies.look_up(connection, self._desks(said, told))
        seen = await find_seen(connection, {one.message: one.owner.workspace for one in said})
        given = Given(self._policies, self._rules, seen, own=await find_own(connection, said))
        actions = [one.value for one in told if isinstance(one.value, Action)]
        if actions:
            await self._give_to_actions(connection, work, given, actions)
            await self._rules.look_up(connection, self._offering_rules(told))
        return given

    async def _give_to_actions(
        self, connection: Connection, work: Work, given: Given, actions: list[Action]
    ) -> None:
        work.outcomes.know(await outcome_rows.load(connection, {asker_of(action) for action in actions}))
        given.customers = await customer_rows.load(
            connection,
            {
                (one.workspace, str(one.conversation))
                for one in actions
                if isinstance(one, SetLabels | SetProfile)
            },
        )
        given.quoted = await quoting.load(connection, [one for one in actions if isinstance(one, Say)])

    def _desks(self, said: Iterable[Said], told: Iterable[Told]) -> set[tuple[str, str]]:
        """Those whose policy counts: of everything but assignment events."""
        desks = {(one.owner.workspace, one.owner.desk) for one in said}
        for one in told:
            if not isinstance(one.value, ChainEvent) and (found := self._conversations.get(one.name)):
                desks.add((found.workspace, found.desk))
        return desks

    def _offering_rules(self, told: Iterable[Told]) -> set[tuple[str, str, str]]:
        """The rules that offer what is answered, also when the offer comes with this batch."""
        rules = set()
        for one in told:
            found = self._conversations.get(one.name)
            if found is None:
                continue
            if isinstance(one.value, Offered) and one.value.rule is not None:
                rules.add((found.workspace, found.desk, one.value.rule))
            elif isinstance(one.value, Say) and found.offer_rule is not None:
                rules.add((found.workspace, found.desk, found.offer_rule))
        return rules
