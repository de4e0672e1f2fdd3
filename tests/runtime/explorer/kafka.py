"""Kafka in the model: transactions of producers that can be ended, and the group's offsets."""

from __future__ import annotations

from tests.runtime.explorer.world import Part, Term, Transaction, World, replaced
from workers.runtime.protocol import Outcome


def begin(world: World, term: Term, producer: int, parts: tuple[Part, ...]) -> World | None:
    """Produce and send the offsets; none: the producer has been ended."""
    if (term, producer) in world.ended:
        return None
    opened = Transaction(term, producer, parts)
    kept = tuple(t for t in world.transactions if (t.term, t.producer, t.prepared) != (term, producer, False))
    return world._replace(transactions=(*kept, opened))


def busy(world: World, term: Term, producer: int) -> bool:
    """Whether the last transaction of this producer is being completed: it cannot begin, nor be ended."""
    return any(t.prepared and t.term == term and t.producer == producer for t in world.transactions)


def end_transaction(world: World, term: Term, producer: int) -> tuple[World, Outcome]:
    """EndTxn: decides the transaction, after which it is completed at leisure."""
    found = [t for t in world.transactions if (t.term, t.producer, t.prepared) == (term, producer, False)]
    if (term, producer) in world.ended or not found:
        return world, Outcome.REFUSED
    [opened] = found
    others = tuple(t for t in world.transactions if t is not opened)
    decided = _published(world, opened)
    return decided._replace(transactions=(*others, opened._replace(prepared=True))), Outcome.OK


def abort(world: World, term: Term, producer: int) -> tuple[World, Outcome]:
    """EndTxn that undoes: no reader sees anything of the transaction."""
    if (term, producer) in world.ended:
        return world, Outcome.REFUSED
    others = tuple(
        t for t in world.transactions if (t.term, t.producer, t.prepared) != (term, producer, False)
    )
    return world._replace(transactions=others), Outcome.OK


def _published(world: World, transaction: Transaction) -> World:
    for lane, batches, batch_no in transaction.parts:
        published = world.published[lane]
        for batch in batches:
            if batch <= published:
                return world._replace(wrong=f"batch {batch} is published again")
            if batch > published + 1:
                return world._replace(wrong=f"batch {batch} is published before batch {published + 1}")
            published = batch
        if published != batch_no:
            return world._replace(wrong=f"the group says batch {batch_no}, and readers have {published}")
        world = world._replace(published=replaced(world.published, lane, published))
    return world


def complete(world: World, prepared: Transaction) -> World:
    """The markers are written: the group's offsets can be read. A late older one replaces no newer one."""
    for lane, _, batch_no in prepared.parts:
        at = max(world.groups[lane] or 0, batch_no)
        world = world._replace(groups=replaced(world.groups, lane, at))
    return world._replace(transactions=tuple(t for t in world.transactions if t is not prepared))


def end_producer(world: World, term: Term, producer: int) -> World | None:
    """Initialise its id: an open transaction is aborted. None: one is being completed, try again."""
    if busy(world, term, producer):
        return None
    return world._replace(
        transactions=tuple(t for t in world.transactions if (t.term, t.producer) != (term, producer)),
        requests=tuple(r for r in world.requests if (r.what, r.term, r.producer) != ("end", term, producer)),
        ended=world.ended | {(term, producer)},
    )
