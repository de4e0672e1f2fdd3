"""What the records of a batch need to know beside their conversations."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from schemas.actions import Action, EditTicket, Erase, Outreach, Say, SetLabels, SetProfile
from schemas.assignments import Assigned, ChainEvent, Offered
from schemas.ids import conversation_id_text
from schemas.inbound import Echo, Edit, Profile, Reaction, Reply
from schemas.phones import find_phone
from workers.routing.intake import (
    customer_rows,
    forgotten,
    linked_orders,
    marks,
    outcome_rows,
    quoting,
    ticket_rows,
)
from workers.routing.intake.admission import Admitted, Made, Said, Told
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.conversations import Conversations
from workers.routing.intake.customer import Customer, is_introduced
from workers.routing.intake.dedupe import find_seen, find_stored
from workers.routing.intake.linked_orders import LinkedOrders
from workers.routing.intake.marks import Marks, Place, place_of
from workers.routing.intake.outcomes import asker_of
from workers.routing.intake.own import Own, find_own
from workers.routing.intake.policies import DeskPolicies, Policies
from workers.routing.intake.quoting import Quoted
from workers.routing.intake.rules import ReplyRules, Rules
from workers.routing.intake.ticket import Ticket
from workers.routing.intake.work import Work
from workers.runtime.handler import Connection


@dataclass(slots=True)
class Given:
    """Looked up before a batch; the pure part reads it."""

    policies: DeskPolicies
    rules: ReplyRules = field(default_factory=ReplyRules)
    seen: set[str] = field(default_factory=set)
    """Ids of messages that were stored before."""
    customers: dict[str, Customer] = field(default_factory=dict)
    """Those of whom something is said, by conversation."""
    quoted: Quoted = field(default_factory=dict)
    tickets: dict[tuple[str, int], Ticket] = field(default_factory=dict)
    """Those that actions and replies name, as the batch found them; by conversation and number."""
    own: dict[str, Own] = field(default_factory=dict)
    """Echoes of what we have sent ourselves, by the id that they would have in the transcript."""
    phones: dict[str, str] = field(default_factory=dict)
    """Numbers in what customers wrote, by the message's id."""
    erased: dict[str, int] = field(default_factory=dict)
    """When customers were erased of whom something older comes: ms since 1970, by conversation."""
    marks: Marks = field(default_factory=dict)
    """Of the messages that are edited or reacted to."""
    orders: LinkedOrders = field(default_factory=dict)
    """Of those who are erased."""

    def customer(self, conversation: Conversation) -> Customer:
        """As he stands now; one of a conversation that began with this batch has nothing yet."""
        return self.customers.get(conversation.id, Customer())


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
        made = [one for one in admitted if isinstance(one, Made)]
        told = [one for one in admitted if isinstance(one, Told)]
        policies = await self._policies.look_up(connection, self._desks(said, told))
        seen = await find_seen(connection, {one.message: one.owner.workspace for one in said})
        older = [one for one in said if one.value.history and one.message not in seen]
        seen |= await find_stored(connection, *_places_of(older))
        given = Given(policies, seen=seen, own=await find_own(connection, said))
        given.erased = await forgotten.load(connection, admitted)
        given.phones = phones_in(said)
        actions = [one.value for one in told if isinstance(one.value, Action)]
        given.customers = await customer_rows.load(connection, _spoken_of(said, made, actions, given.phones))
        given.marks = await marks.load(connection, _places(made))
        given.tickets = await ticket_rows.load(connection, _tickets_named(said, actions))
        if actions:
            await self._give_to_actions(connection, work, given, actions)
            given.rules = await self._rules.look_up(connection, self._offering_rules(told))
        return given

    async def _give_to_actions(
        self, connection: Connection, work: Work, given: Given, actions: list[Action]
    ) -> None:
        work.outcomes.know(await outcome_rows.load(connection, {asker_of(action) for action in actions}))
        given.orders = await linked_orders.load(connection, actions)
        given.quoted = await quoting.load(connection, [one for one in actions if isinstance(one, Say)])

    def _desks(self, said: Iterable[Said], told: Iterable[Told]) -> set[tuple[str, str]]:
        """Those whose policy counts: of everything but assignment events that give nobody anything, and for
        which no answer waits."""
        desks = {(one.owner.workspace, one.owner.desk) for one in said}
        for one in told:
            found = self._conversations.get(one.name)
            counts = isinstance(one.value, Assigned) or not isinstance(one.value, ChainEvent)
            if found and (found.replies or counts):
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


def phones_in(said: Iterable[Said]) -> dict[str, str]:
    """Numbers in what customers wrote, not in what was said to them, nor beside the chat; by its id."""
    texts = {one.message: one.value.text for one in said if not isinstance(one.value, Echo | Reply)}
    return {message: phone for message, text in texts.items() if (phone := find_phone(text))}


def _tickets_named(said: Iterable[Said], actions: Iterable[Action]) -> set[tuple[str, str, int]]:
    """Workspace, conversation and number of each."""
    answered = {
        (one.owner.workspace, conversation_id_text(one.value.key), one.value.ticket)
        for one in said
        if isinstance(one.value, Reply)
    }
    return answered | {
        (one.workspace, str(one.conversation), one.ticket)
        for one in actions
        if isinstance(one, EditTicket | Outreach)
    }


def _spoken_of(
    said: Iterable[Said], made: Iterable[Made], actions: Iterable[Action], phones: Collection[str]
) -> set[tuple[str, str]]:
    """Workspace and id of the customers of whom something is said."""
    names = {one.name for one in said if one.message in phones or is_introduced(one.value)}
    names |= {one.name for one in made if isinstance(one.value, Profile)}
    found = {(workspace, conversation_id_text(key.decode())) for workspace, key in names}
    return found | {
        (one.workspace, str(one.conversation))
        for one in actions
        if isinstance(one, Outreach | SetLabels | SetProfile | Erase)
    }


def _places_of(said: Collection[Said]) -> tuple[list[str], set[tuple[str, str]]]:
    """The ids of what was said, and the transcripts (workspace and conversation) that may have it."""
    transcripts = {(one.owner.workspace, conversation_id_text(one.value.key)) for one in said}
    return [one.message for one in said], transcripts


def _places(made: Iterable[Made]) -> set[Place]:
    return {
        place_of(one.value, one.owner.workspace, conversation_id_text(one.value.key))
        for one in made
        if isinstance(one.value, Edit | Reaction)
    }
