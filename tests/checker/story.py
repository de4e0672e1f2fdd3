"""A small clean history, told by hand: what the workers would have made of a few customers' messages.

Workspace `acme`, one page, a rule over the agents an, binh and chi with a capacity of two each.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict, deque
from collections.abc import Sequence

import orjson

from checker.murmur2 import partition_of
from checker.record import Json, LogRecord
from checker.rows import DefinitionRow, DeliveryRow, NoticeRow, PageRow, TicketRow
from tests.checker.planted import CONVERSATION_PARTITIONS, Planted, moment
from tests.checker.story_tables import deliveries, fill_tables, followers
from tests.checker.story_tickets import StoryTickets

PAGE, WORKSPACE, DESK, RULE = "messenger:shop", "acme", "main", "even"
AGENTS = ("an", "binh", "chi")
CAPACITY = 2
DESK_KEY = f"{WORKSPACE}:{DESK}"
EVENTS = uuid.UUID("6f1f3c0e-6f0b-5b0a-9a57-7a2f2d9d6c03")
LOGGED = {"assigned", "queued", "offered", "transferring", "transfer_ended", "care_changed"}
_NOTHING: Json = {
    "epoch": 0,
    "round": 1,
    "session": 0,
    "standing": "idle",
    "holder": None,
    "care": "new",
    "id": None,
}


class Story:
    """Tells the history into `planted`, one happening a millisecond."""

    def __init__(self) -> None:
        self.planted = Planted()
        self.now_ms = 1_000_000
        self._ring = deque(AGENTS)
        self._load = dict.fromkeys(AGENTS, 0)
        self._waiting: deque[str] = deque()
        self._chains: dict[str, list[Json]] = defaultdict(list)
        self._lines: dict[str, list[Json]] = defaultdict(list)
        self._ids = self._keys = 0
        self._caused: Counter[tuple[int, int]] = Counter()
        self._tickets = StoryTickets(self._tell_ticket)
        self.reads: dict[tuple[str, str], int] = {}
        """How far an agent has read a conversation."""

    def configure(self) -> None:
        """The desk gets its agents, its page and its rule."""
        self.planted.tables[PageRow].append(PageRow(PAGE, WORKSPACE, DESK, 0))
        command = self._ask("configure", "cli:me", {})
        cause = {"topic": "commands", "partition": command.partition, "offset": command.offset}
        things: list[tuple[str, str, Json]] = [
            ("page", DESK_KEY, {"id": PAGE, "name": "Shop", "admins": ["an"]}),
            ("rule", DESK_KEY, {"id": RULE, "name": "Even", "pages": [PAGE], "agents": [*AGENTS]}),
            *(
                ("agent", f"agent:{WORKSPACE}/{name}", {"id": name, "name": name, "capacity": CAPACITY})
                for name in AGENTS
            ),
        ]
        for kind, key, thing in things:
            value = self._of_desk() | {"at": moment(self.now_ms), "version": 1, "cause": cause, kind: thing}
            id_ = self._event_id(command)
            self.planted.append("roster", key, f"{kind}_changed", value, self.now_ms, ce_id=id_)
            row = DefinitionRow(
                kind, WORKSPACE, DESK, thing["id"], orjson.dumps(thing).decode(), 1, active=True
            )
            self.planted.tables[DefinitionRow].append(row)

    def write(self, user: str, *, mid: str | None = None, copies: int = 1) -> None:
        """A customer writes; the record comes `copies` times."""
        self.now_ms += 1
        self._ids += 1
        key = f"{PAGE}:{user}"
        mid = mid or f"m{self._ids}"
        value = self.said(user, mid)
        for _ in range(copies):
            self.planted.append("inbound", key, "message", value, self.now_ms, ce_id=mid)
        opens = not self._session_open(key)
        if opens:
            holder = self._chains[key][-1]["holder"] if self._chains[key] else None
            self._tickets.begin(key, self._session(key) + 1, len(self._lines[key]) + 1, holder)
        self._store(key, mid, value["text"], session=self._session(key) + opens)
        if opens and self._session(key):
            self._back(key)
        if opens:
            self._route(key)

    def said(self, user: str, mid: str) -> Json:
        """An inbound value."""
        return {
            "channel": "messenger",
            "account": "shop",
            "user": user,
            "channel_message_id": mid,
            "text": f"Xin chào {mid}",
        }

    def refuse(self, user: str, value: bytes, *, what: str = "message") -> None:
        """Something unreadable comes and goes to deadletter."""
        self.now_ms += 1
        record = self.planted.append("inbound", f"{PAGE}:{user}", what, value, self.now_ms, ce_id="x")
        self.letter(record)

    def letter(self, record: LogRecord) -> None:
        """Put a record of inbound on deadletter."""
        headers = {
            "deadletter_topic": b"inbound",
            "deadletter_partition": str(record.partition).encode(),
            "deadletter_offset": str(record.offset).encode(),
            "deadletter_reason": b"unreadable",
        }
        number = len(self.planted.topics["deadletter"])
        self.planted.topics["deadletter"].append(
            record._replace(partition=0, offset=number, headers=(*record.headers, *headers.items()))
        )

    def misplace(self, user: str) -> None:
        """A record lies in a wrong partition; its forwarded copy is stored."""
        key = f"{PAGE}:{user}"
        wrong = (partition_of(key.encode(), CONVERSATION_PARTITIONS) + 1) % CONVERSATION_PARTITIONS
        mid = f"misplaced-{user}"
        value = self.said(user, mid)
        self.planted.append("inbound", key, "message", value, self.now_ms, partition=wrong, ce_id=mid)
        self.write(user, mid=mid)

    def end(self, user: str) -> None:
        """The customer's session ends by silence; who waits gets the agent that became free."""
        self.now_ms += 1
        key = f"{PAGE}:{user}"
        self._tickets.over(key)
        cause = self._command("session_ended", {"conversation": self.conversation(key)})
        held = self._chains[key][-1]["holder"] is not None
        self._event(key, cause, "session_closed", {"standing": "held" if held else "idle"})
        holder = self._chains[key][-1]["holder"]
        if holder:
            self._load[holder] -= 1
        while self._waiting and self._eligible():
            self._assign(self._waiting.popleft(), cause, queued=True)

    def colleagues(self, user: str) -> None:
        """What colleagues do around a held conversation: all that is told to others than its holder."""
        key = f"{PAGE}:{user}"
        holder = self._chains[key][-1]["holder"]
        other, third = (agent for agent in AGENTS if agent != holder)
        self._comes(other)
        self._asked(key, "follow", "followed", {"agent": other}, by=other)
        self._asked(key, "follow", "followed", {"agent": third}, by=third)
        self._asked(key, "mute", "muted", {"agent": third}, by=third)
        self.write(user)
        self._read(key, holder)
        self.write(user)
        self._greet(key)
        self._say(key, holder, "say", "Chào bạn")
        self._fail(key, holder)
        for paused in ("token_broken", None):
            self._pause(key, paused)
        self._say(key, holder, "write_note", "@", mentions=[other])
        self._notice(key, "mention", len(self._chains[key]), len(self._lines[key]), agent=other)
        offered = {"agents": [other], "to_agent": other, "expires_at": moment(self.now_ms + 1 + 120_000)}
        self._asked(key, "transfer", "transferring", offered, by=holder)
        self._personal(key, "transfer_offered", other)
        self._asked(key, "transfer_reject", "transfer_ended", {"how": "rejected", "agent": other}, by=other)
        for agent in (holder, other):
            self._personal(key, "transfer_ended", agent)
        won = {"care": "closed_won", "former_care": "accepted"}
        self._asked(key, "set_care", "care_changed", won, by=other)
        self._personal(key, "care_changed", holder)
        self._changed(key)

    def tickets(self, user: str) -> None:
        """The holder fills the draft in with an answer, makes it a ticket, changes it, and makes another."""
        key = f"{PAGE}:{user}"
        holder = self._chains[key][-1]["holder"]
        wants: Json = {"subject": "Đổi hàng", "fields": {"nguon": "zalo", "gap": ""}}
        self._tickets.change(key, 1, holder, subject="Đổi hàng", fields={"nguon": "zalo"})
        self._say(key, holder, "say", "Dạ vâng", ticket=wants)
        self._fares("sent", ids=["z1"])
        for state in ("delivered", "read"):
            self._arrives(key, state)
        self._act(key, "open_ticket", holder, {}, self._tickets.open(key, holder))
        changes: tuple[Json, ...] = (
            {"status": "pending", "fields": {"nguon": "zalo", "so-luong": 3}},
            {"status": "pending"},
            {"status": "closed", "subject": ""},
            {"status": "open"},
            {"subject": "Đổi cỡ"},
            {"subject": "Đổi màu"},
        )
        for change in changes:
            result = self._tickets.change(key, 1, holder, **change)
            self._act(key, "edit_ticket", holder, {"ticket": 1} | change, result)
        self._mail(key, holder, 1, "Hóa đơn đây ạ")
        another = {"subject": "Hoàn tiền"}
        self._act(key, "open_ticket", holder, another, self._tickets.open(key, holder, **another))

    def _tell_ticket(self, key: str, change: Json) -> None:
        value = self._about(key) | {"page": PAGE, "at": moment(self.now_ms)} | change
        self.planted.append("messages", key, "ticket_changed", value, self.now_ms)

    def offer(self, user: str) -> None:
        """A conversation that waits is offered to its page instead; the offer is over with its session."""
        key = f"{PAGE}:{user}"
        self._waiting.remove(key)
        audience = f"page:{PAGE}"
        self.now_ms += 1
        cause = self._command("route", self._about(key) | {"session": 1, "opens_session": False})
        waits = {name: self._chains[key][-1][name] for name in self._since(cause)}
        offered = {"standing": "offered", "audience": audience, "unrouted": False, "rule": RULE} | waits
        self._event(key, cause, "offered", offered)
        self._announce(key, "offered", audience)
        self.end(user)
        self._announce(key, "withdrawn", audience)

    def _comes(self, agent: str) -> None:
        """`agent` is online from here on."""
        self.now_ms += 1
        now = {"presence": "online", "gateways": {"g1": "online"}}
        command = self._command("set_presence", {"agent": agent, "gateway": "g1", "presence": "online"})
        cause = {"topic": "commands", "partition": command.partition, "offset": command.offset}
        value = (
            self._of_desk() | {"agent": agent, "at": moment(self.now_ms), "version": 1, "cause": cause} | now
        )
        key, id_ = f"agent:{WORKSPACE}/{agent}", self._event_id(command)
        self.planted.append("roster", key, "presence_changed", value, self.now_ms, ce_id=id_)
        told = orjson.dumps(now).decode()
        self.planted.tables[DefinitionRow].append(
            DefinitionRow("presence", WORKSPACE, DESK, agent, told, 1, active=True)
        )

    def _asked(self, key: str, command: str, what: str, fields: Json, *, by: str) -> None:
        """An agent who may do everything asks for it, and it is done."""
        self.now_ms += 1
        actor = f"agent:{WORKSPACE}/{by}"
        asked = self._about(key) | {"by": by, "authority": "admin"}
        cause = self._ask(command, actor, asked)
        said = {"command": cause.json()["idempotency_key"], "by": actor}
        self._event(key, cause, what, fields | said)

    def _ask(self, what: str, actor: str, fields: Json) -> LogRecord:
        """A command with its outcome."""
        self._keys += 1
        asked = {"actor": actor, "idempotency_key": f"k{self._keys}"}
        record = self._command(what, fields | asked)
        self._done(what, asked, {})
        return record

    def _act(self, key: str, what: str, agent: str, fields: Json, result: Json) -> None:
        """An action with its outcome."""
        self._keys += 1
        asked = {"actor": f"agent:{WORKSPACE}/{agent}", "idempotency_key": f"k{self._keys}"}
        value = self._about(key) | asked | {"by": agent} | fields
        self.planted.append("actions", key, what, value, self.now_ms)
        self._done(what, asked, result)

    def _done(self, what: str, asked: Json, result: Json) -> None:
        value = self._of_desk() | asked | {"command": what, "at": moment(self.now_ms), "result": result}
        self.planted.append("outcomes", asked["actor"], "done", value, self.now_ms)

    def _say(
        self, key: str, agent: str, what: str, text: str, *, ticket: Json | None = None, **fields: object
    ) -> None:
        """An agent answers, or writes a note."""
        line = {"sender": "agent", "sender_id": agent, "kind": "note" if fields else "text", "text": text}
        self._line(key, line | {"session": self._session(key)} | fields)
        last = self._lines[key][-1]
        said = {"message": last["message"], "position": last["position"]}
        self._act(key, what, agent, {"text": text, "ticket": ticket} | fields, said)
        if what == "say":
            self._send(key, "send", f"agent:{WORKSPACE}/{agent}")

    def _greet(self, key: str) -> None:
        """The page says something by itself."""
        line = {"sender": "system", "kind": "text", "code": "greeting", "text": "Chào mừng"}
        self._line(key, line | {"session": self._session(key)})
        self._send(key, "send", "system")
        self._fares("sent", ids=["g1"])

    def _fail(self, key: str, agent: str) -> None:
        """The channel does not take the last line, which is the agent's, and he is told."""
        self._fares("failed", reason="policy")
        last = self._lines[key][-1]
        told = {"position": last["position"], "reason": "policy", "answer": last["message"]}
        seq = len(self._chains[key])
        self._notice(key, "answer_failed", seq, last["position"], agent=agent, fields=told)

    def _pause(self, key: str, paused: str | None) -> None:
        """The page is paused, or goes on, and its admins are told."""
        self.now_ms += 1
        stands = {"page": PAGE, "at": moment(self.now_ms)}
        self.planted.append(
            "receipts", key, "page_stands", self._about(key) | stands | {"paused": paused}, self.now_ms
        )
        what, why = ("page_paused", {"reason": paused}) if paused else ("page_resumed", {})
        self._announce(key, what, f"admins:{PAGE}", **stands, **why)

    def _mail(self, key: str, agent: str, ticket: int, text: str) -> None:
        """An agent writes an e-mail out of a ticket, and the mail server has it."""
        line = {"sender": "agent", "sender_id": agent, "kind": "mail", "text": text}
        self._line(key, line | {"session": self._session(key), "params": {"ticket": ticket}})
        last = self._lines[key][-1]
        said = {"message": last["message"], "position": last["position"]}
        self._act(key, "send_mail", agent, {"ticket": ticket, "text": text}, said)
        self._send(key, "mail", f"agent:{WORKSPACE}/{agent}")
        self._fares("sent")

    def _send(self, key: str, what: str, sender: str) -> None:
        """The last line goes to its channel, and waits."""
        last = self._lines[key][-1]
        sent = {name: last[name] for name in ("page", "message", "position", "text")}
        value = self._about(key) | sent | {"sender": sender}
        self.planted.append("outbound", key, what, value, self.now_ms)
        self._fares("queued", last=value | {"parts": 1, "version": 0, "channel_message_ids": []})

    def _fares(self, state: str, *, last: Json | None = None, ids: Sequence[str] = (), **why: str) -> None:
        """What was sent last, or `last`, stands so from here on."""
        before = last or self.planted.topics["receipts"][-1].json()
        stands = {"state": state, "version": before["version"] + 1}
        value = before | stands | why | ({"channel_message_ids": [*ids]} if ids else {})
        self.planted.append("receipts", value["key"], "delivery", value, self.now_ms)

    def _arrives(self, key: str, state: str) -> None:
        """The channel says so of what was sent last, and it is told."""
        ids = self.planted.topics["receipts"][-1].json()["channel_message_ids"]
        arrival = {"state": state, "channel_message_ids": ids}
        self.planted.append("receipts", key, "arrival", arrival, self.now_ms)
        sent = self.planted.topics["receipts"][-2].json()
        self._fares(state, last=sent)

    def _back(self, key: str) -> None:
        """The customer is back with another session, and who follows him is told."""
        last = self._chains[key][-1]
        said = {"session": self._session(key) + 1, "at": moment(self.now_ms)}
        about = self._about(key) | {"page": PAGE, "seq": last["seq"], "epoch": last["epoch"]} | said
        self.planted.append("messages", key, "returned", about, self.now_ms)
        for agent in self._unmuted(key):
            self._notice(key, "returned", last["seq"], 0, agent=agent, fields=said)

    def _event_id(self, cause: LogRecord) -> str:
        """Of the next event of a command."""
        ordinal = self._caused[cause.place]
        self._caused[cause.place] += 1
        return str(uuid.uuid5(EVENTS, f"commands/{cause.partition}/{cause.offset}/desk/{ordinal}"))

    def _since(self, cause: LogRecord) -> Json:
        """Since when it waits: from here on."""
        return {"queued_at": moment(self.now_ms), "queued_offset": cause.offset, "priority": 2}

    def _read(self, key: str, agent: str) -> None:
        """`agent` has read to the end."""
        position = len(self._lines[key])
        about = self._about(key) | {"page": PAGE, "agent": agent, "position": position, "at": moment(1)}
        chain = self._chains[key]
        about |= {"seq": len(chain), "epoch": chain[-1]["epoch"]}
        self.planted.append("messages", key, "read", about, self.now_ms)
        self._act(key, "mark_read", agent, {"position": position}, {"position": position})
        self.reads[key, agent] = position
        notice = str(uuid.uuid5(uuid.NAMESPACE_URL, f"read {key} {agent} {position}"))
        value = about | {"notice": notice, "unread": 0}
        self.planted.append("notifications", f"agent:{WORKSPACE}/{agent}", "read", value, self.now_ms)

    def _personal(self, key: str, what: str, agent: str) -> None:
        self._notice(key, what, len(self._chains[key]), 0, agent=agent)

    def _announce(self, key: str, what: str, audience: str, **fields: object) -> None:
        last = self._chains[key][-1]
        notice = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{what} {key} {last['seq']} {audience}"))
        said = {"notice": notice, "audience": audience, "seq": last["seq"], "epoch": last["epoch"]}
        value = self._about(key) | said | {"holder": last["holder"]} | fields
        self.planted.append("notifications", f"audience:{WORKSPACE}/{audience}", what, value, self.now_ms)

    def _changed(self, key: str) -> None:
        last = self._chains[key][-1]
        now = {"standing": last["standing"], "care": last["care"]}
        self._announce(key, "conversation_changed", f"page:{PAGE}", **now)

    def conversation(self, key: str) -> str:
        """The conversation's id."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, key))

    def told(self) -> Planted:
        """Fill the tables and the groups' offsets from what happened; ends the story."""
        self.planted.tables[DeliveryRow] = deliveries(self.planted)
        fill_tables(self.planted, self._chains, self._lines, self.reads)
        for key in self._tickets.keys:
            self.planted.tables[TicketRow] += self._tickets.rows(key, self.conversation(key))
        return self.planted

    def _route(self, key: str) -> None:
        fields = self._about(key) | {"session": self._session(key) + 1, "opens_session": True}
        cause = self._command("route", fields)
        self._event(key, cause, "session_opened", {"session": self._session(key) + 1})
        holder = self._chains[key][-1]["holder"]
        if holder:
            self._load[holder] += 1
        elif self._eligible():
            self._assign(key, cause)
        else:
            queued = {"standing": "queued", "rule": RULE, "rule_version": 1} | self._since(cause)
            self._event(key, cause, "queued", queued)
            self._waiting.append(key)

    def _assign(self, key: str, cause: LogRecord, *, queued: bool = False) -> None:
        while self._load[self._ring[0]] >= CAPACITY:
            self._ring.rotate(-1)
        agent = self._ring[0]
        self._ring.rotate(-1)
        self._load[agent] += 1
        why: Json = {"method": "round_robin", "rule": RULE, "rule_version": 1}
        if queued:
            why["queued_at"] = moment(self.now_ms - 1)
        before = self._chains[key][-1]
        event = {
            "standing": "held",
            "holder": agent,
            "care": "accepted",
            "epoch": before["epoch"] + 1,
            "former_holder": before["holder"],
            "why": why,
        }
        self._event(key, cause, "assigned", event)
        self._tickets.given(key, agent)

    def _event(self, key: str, cause: LogRecord, what: str, fields: Json) -> None:
        chain = self._chains[key]
        before = chain[-1] if chain else _NOTHING
        after_position = len(self._lines[key])
        value = (
            self._about(key)
            | {name: before[name] for name in _NOTHING}
            | {
                "seq": len(chain) + 1,
                "previous": before["id"],
                "page": PAGE,
                "after_position": after_position,
                "at": moment(self.now_ms),
                "cause": {"topic": "commands", "partition": cause.partition, "offset": cause.offset},
            }
            | fields
        )
        record = self.planted.append(
            "assignments", key, what, value, self.now_ms, ce_id=self._event_id(cause)
        )
        chain.append(value | {"id": record.id, "what": what})
        if fields.get("standing", before["standing"]) != before["standing"]:
            self._changed(key)
        if what == "assigned":
            self._notice(key, "assigned", len(chain), after_position, agent=chain[-1]["holder"])
        if what in LOGGED:
            self._log(key, what)

    def _store(self, key: str, mid: str, text: str, *, session: int) -> None:
        line = {"sender": "customer", "kind": "text", "text": text, "channel_message_id": mid}
        self._line(key, line | {"session": session})
        for agent in self._unmuted(key):
            self._notice(key, "message", len(self._chains[key]), len(self._lines[key]), agent=agent)

    def _unmuted(self, key: str) -> list[str]:
        """Who follows it and has not muted it."""
        chain = self._chains[key]
        muted = {event["agent"] for event in chain if event["what"] == "muted"}
        return sorted(followers(chain) - muted)

    def _log(self, key: str, what: str) -> None:
        line = {"sender": "system", "kind": "log", "code": what, "params": {}}
        self._line(key, line | {"session": self._session(key)})

    def _line(self, key: str, fields: Json) -> None:
        lines, chain = self._lines[key], self._chains[key]
        position = len(lines) + 1
        value = self._about(key) | {
            "page": PAGE,
            "message": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{key}/{position}")),
            "position": position,
            "stored_at": moment(self.now_ms),
            "seq": len(chain),
            "epoch": chain[-1]["epoch"] if chain else 0,
            **fields,
        }
        self.planted.append("messages", key, "stored", value, self.now_ms)
        lines.append(value | {"stored_at_ms": self.now_ms})

    def _notice(
        self, key: str, what: str, seq: int, position: int, *, agent: str, fields: Json | None = None
    ) -> None:
        chain, lines = self._chains[key], self._lines[key]
        customer = [line["position"] for line in lines if line["sender"] == "customer"]
        session = chain[-1]["session"]
        unread = sum(line["sender"] == "customer" and line["session"] >= session for line in lines)
        message = max(customer) if what == "assigned" else position
        notice = str(uuid.uuid5(uuid.NAMESPACE_URL, f"notice {key} {what} {seq} {position} {agent}"))
        value = self._about(key) | {
            "notice": notice,
            "agent": agent,
            "seq": seq,
            "epoch": chain[-1]["epoch"],
            "unread": unread,
            **(fields or ({"message": {"position": message}} if message else {})),
        }
        self.planted.append("notifications", f"agent:{WORKSPACE}/{agent}", what, value, self.now_ms)
        row = NoticeRow(
            WORKSPACE, agent, notice, what, value["conversation"], seq, value["epoch"], message, unread
        )
        self.planted.tables[NoticeRow].append(row)

    def _command(self, what: str, fields: Json) -> LogRecord:
        return self.planted.append("commands", DESK_KEY, what, self._of_desk() | fields, self.now_ms)

    def _of_desk(self) -> Json:
        return {"workspace": WORKSPACE, "desk": DESK}

    def _about(self, key: str) -> Json:
        return self._of_desk() | {"conversation": self.conversation(key), "key": key}

    def _eligible(self) -> bool:
        return any(load < CAPACITY for load in self._load.values())

    def _session(self, key: str) -> int:
        return int(self._chains[key][-1]["session"]) if self._chains[key] else 0

    def _session_open(self, key: str) -> bool:
        events = [event["what"] for event in self._chains[key]]
        return events.count("session_opened") > events.count("session_closed")
