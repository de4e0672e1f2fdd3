"""Known ways to break the workers: each a change of code, and the faults that must bring it to light."""

from __future__ import annotations

from hashlib import sha256
from typing import NamedTuple

FREEZES = "freeze_routing,freeze_in_transaction,freeze_before_writing,freeze_before_writing"
DIGEST_LETTERS = 12
KILLS = "kill_routing,kill_notifier,kill_routing,kill_notifier,kill_routing"


class Change(NamedTuple):
    """Of one file. `before` stands there once."""

    path: str
    before: str
    after: str


class Mutant(NamedTuple):
    """What is broken, the faults that must bring it to light, and how the checks begin that must see it."""

    name: str
    faults: str
    seen_by: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def slug(self) -> str:
        """Names its folder and its file."""
        return self.name.replace("'", "").replace(" ", "-")

    @property
    def told(self) -> dict[str, str]:
        """What makes it this one, in few words: with other changes or checks it has another digest."""
        digest = sha256(repr((self.changes, self.seen_by)).encode()).hexdigest()[:DIGEST_LETTERS]
        return {"mutant": self.name, "digest": digest, "faults": self.faults}


MUTANTS = (
    Mutant(
        "pending batches are not published at takeover",
        KILLS,
        ("on the messages topic each line follows", "each chain counts", "the table of notices"),
        (
            Change(
                "workers/runtime/protocol.py",
                "return Start() if published == row.batch_no else Publish(published)",
                "return Start()",
            ),
        ),
    ),
    Mutant(
        "the previous owner's producers are not fenced",
        FREEZES,
        ("each event appears once",),
        (
            Change(
                "workers/runtime/term.py",
                "        if owner in self._fenced:\n            return\n",
                "        if owner:\n            return\n",
            ),
        ),
    ),
    Mutant(
        "neither owner nor batch number is compared",
        "freeze_before_writing,freeze_before_writing",
        (
            "each distinct message is once",
            "positions are",
            "on the messages topic",
            "folding assignments gives the desk's",
            "each lane is released",
        ),
        (
            Change(
                "workers/runtime/ledger.py",
                'lane.id = mine.id AND lane.owner = $2 AND lane.batch_no = mine.batch_no\n"""\n_PREPARE',
                'lane.id = mine.id AND $2 <> \'\'\n"""\n_PREPARE',
            ),
        ),
    ),
    Mutant(
        "intake remembers conversations of lanes that it gave up",
        f"{KILLS},{FREEZES}",
        ("positions are", "on the messages topic"),
        (
            Change(
                "workers/routing/intake/handler.py",
                "self._conversations.forget(lanes)",
                "del lanes",
            ),
        ),
    ),
    Mutant(
        "duplicates are stored",
        "kill_routing",
        ("each distinct message is once",),
        (
            Change(
                "workers/routing/intake/storing.py",
                "    seen = dedupe.in_order(work.sightings)\n",
                "    seen = dedupe.in_order([])\n",
            ),
        ),
    ),
    Mutant(
        "the cursor of a rotation is forgotten over a restart",
        KILLS,
        ("nobody has a second turn",),
        (
            Change(
                "workers/routing/desk/loading.py",
                'desk.set_rule(entry, row["ring"], row["cursor"])',
                'desk.set_rule(entry, row["ring"], None)',
            ),
        ),
    ),
    Mutant(
        "loads are forgotten over a restart",
        KILLS,
        ("nobody was automatically assigned above capacity",),
        (
            Change(
                "workers/routing/desk/loading.py",
                'duty.bearing(row["load"],',
                "duty.bearing(0,",
            ),
        ),
    ),
    Mutant(
        "commands that are repeated are decided again",
        "freeze_routing,freeze_routing,freeze_routing",
        ("each command and each action has exactly one outcome",),
        (
            Change(
                "workers/routing/desk/outcomes.py",
                "    if first is None or draft.place.at - first.at >= KEPT:\n",
                "    if first is None or draft.place.at >= first.at:\n",
            ),
        ),
    ),
    Mutant(
        "who comes back is not told what he has missed",
        "kill_gateway,kill_gateway",
        ("each agent sees each notice",),
        (
            Change(
                "workers/gateway/stream.py",
                "is_reached(connection, await self._recipients(one)):\n                connection.send(",
                "is_reached(connection, await self._recipients(one)):\n                str(",
            ),
        ),
    ),
    Mutant(
        "what is not stored yet is published",
        "kill_at_commit,kill_at_commit,kill_at_commit,kill_at_commit",
        ("the messages topic says", "each lane is released"),
        (
            Change(
                "workers/runtime/store.py",
                "            await _commit(connection)\n"
                "            self._stored(batch, ends, clocks, applied, stored)\n",
                "            self._stored(batch, ends, clocks, applied, stored)\n"
                "            await PUBLISH[self.handler.kind](stored)\n"
                "            await _commit(connection)\n",
            ),
            Change(
                "workers/runtime/store.py",
                "RETRIES_MAX = 5\n",
                "RETRIES_MAX = 5\nPUBLISH = {}\n",
            ),
            Change(
                "workers/runtime/loop.py",
                "        stored = await store.batch(",
                "        async def early(stored: Stored) -> None:\n"
                "            await self._confirm()\n"
                "            await self._publish_now(stored)\n"
                "            stored.lanes.clear()\n"
                "            stored.events.clear()\n"
                "        from workers.runtime.store import PUBLISH\n"
                "        PUBLISH[self.handler.kind] = early\n"
                "        stored = await store.batch(",
            ),
        ),
    ),
    Mutant(
        "a lane is released with what was pending",
        "storm",
        ("each lane is released",),
        (
            Change(
                "workers/runtime/ledger.py",
                "        await connection.execute(_EMPTY_PENDING, self.kind, ids)\n",
                "",
            ),
        ),
    ),
    Mutant(
        "a worker goes on after an unknown transaction",
        "cut_at_end_txn,cut_at_produce",
        ("on the messages topic each line follows",),
        (
            Change(
                "workers/runtime/protocol.py",
                'return None if outcome is Outcome.OK else _end_after(outcome, "publishing a batch")',
                'return _end_after(outcome, "publishing a batch") if outcome is Outcome.REFUSED else None',
            ),
        ),
    ),
    Mutant(
        "a new lane begins at the end of its log",
        "kill_routing",
        ("each command and each action has exactly one outcome",),
        (
            Change(
                "workers/runtime/source.py",
                "await self._consumer.beginning_offsets(partitions)",
                "await self._consumer.end_offsets(partitions)",
            ),
        ),
    ),
    Mutant(
        "the gateway decides a claim by what the tables say",
        "kill_gateway",
        ("whoever was told an outcome",),
        (
            Change(
                "workers/gateway/conversations.py",
                "    desk.audience, desk.followers, desk.transfer\n",
                "    desk.audience, desk.followers, desk.transfer, desk.epoch, desk.seq\n",
            ),
            Change(
                "workers/gateway/conversations.py",
                "    rejected: frozenset[str] = frozenset()\n",
                "    rejected: frozenset[str] = frozenset()\n    epoch: int = 0\n    seq: int = 0\n",
            ),
            Change(
                "workers/gateway/conversations.py",
                '            **_asked(row["transfer"]),\n',
                '            **_asked(row["transfer"]),\n'
                '            epoch=row["epoch"] or 0,\n'
                '            seq=row["seq"] or 0,\n',
            ),
            Change(
                "workers/gateway/commanding.py",
                "            return await self._send(asker, asked, roster, known, waiter, "
                "((call.name, stands, str(id_)),))\n",
                "            sent = await self._send(asker, asked, roster, known, waiter, "
                "((call.name, stands, str(id_)),))\n"
                '            if sent.outcome or call.name != "claim" or "offered" not in stands:\n'
                "                return sent\n"
                "            from datetime import UTC, datetime\n"
                "            from schemas.outcomes import Done\n"
                '            result = {"holder": asker.identity.agent, "standing": "held",\n'
                '                      "epoch": conversation.epoch + 1, "seq": conversation.seq + 1}\n'
                "            done = Done(\n"
                "                workspace=sent.workspace, desk=conversation.desk, actor=sent.actor,\n"
                '                idempotency_key=sent.key, command="claim", result=result,\n'
                "                request_sha256=sent.request.sha256, at=datetime.now(UTC))\n"
                "            return sent._replace(outcome=done)\n",
            ),
        ),
    ),
    Mutant(
        "a claim is won by another than the first in the log",
        "kill_gateway",
        ("of those who claim",),
        (
            Change(
                "workers/routing/desk/claims.py",
                "    return refusal or hand_by_person(draft, conversation, agent, method, command)\n",
                '    if refusal and refusal.code == "taken" and agent < (conversation.holder or ""):\n'
                "        refusal = None\n"
                "    return refusal or hand_by_person(draft, conversation, agent, method, command)\n",
            ),
        ),
    ),
)

CONTROL = Mutant(
    "nothing", ",".join(dict.fromkeys(",".join(one.faults for one in MUTANTS).split(","))), (), ()
)
"""What every mutant is but for its change: against it everything must hold."""
