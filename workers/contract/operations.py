"""The operations of the AsyncAPI document: which worker reads and writes what, in which consumer group."""

from __future__ import annotations

from typing import Literal, NamedTuple

from workers.contract.channels import BINDING_VERSION, PREFIX, kinds_of, message_name
from workers.contract.record_schemas import Schema


class Operation(NamedTuple):
    """One worker's use of one topic; without `whats`, of every kind of record on it."""

    worker: str
    action: Literal["send", "receive"]
    topic: str
    summary: str
    grouped: bool = False
    whats: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        verb = "reads" if self.action == "receive" else "writes"
        return f"{self.worker}-{verb}-{self.topic}"


def _whats(topic: str, *without: str) -> tuple[str, ...]:
    return tuple(kind.what for kind in kinds_of(topic) if kind.what not in without)


_TIMERS = ("session_timer", "silence_timer")
_OF_AGENTS = _whats("actions", *_TIMERS)
_OF_INTAKE = (
    *("route", "session_ended", "touched", "session_silent", "outside_answer", "history_kept"),
    "reply_claim",
)
_OF_THE_DESK = ("timer_fired", "vacate")
_OF_GATEWAYS = _whats("commands", *_OF_INTAKE, *_OF_THE_DESK, "configure")
_OPERATIONS = (
    Operation("ingress", "send", "inbound", "Publishes what channels post; so may any connector."),
    Operation(
        "ingress",
        "send",
        "receipts",
        "Tells what has reached customers, what they have read, and how e-mails, SMS and calls fare.",
        whats=("arrival", "outreach"),
    ),
    Operation("ingress", "send", "deadletter", "Puts aside events that a channel's documentation lacks."),
    Operation(
        "ingress",
        "receive",
        "messages",
        "Shows visitors of websites their transcripts; it has no group.",
        whats=("stored", "read"),
    ),
    Operation(
        "ingress",
        "receive",
        "receipts",
        "Shows them how what they are answered stands; it has no group.",
        whats=("delivery",),
    ),
    Operation(
        "connector",
        "receive",
        "outbound",
        "A connector of a channel that is not ours takes its answers; in a group of its own.",
        whats=("send",),
    ),
    Operation("connector", "send", "receipts", "It tells how they fare.", whats=("carried",)),
    Operation("intake", "receive", "inbound", "Stores each message once and gives it its place.", True),
    Operation("intake", "receive", "assignments", "Follows who has the conversation.", True),
    Operation("intake", "receive", "actions", "Does what agents ask in a conversation; its timers.", True),
    Operation("intake", "send", "messages", "Tells what a transcript holds, who has read it, and of whom."),
    Operation(
        "intake",
        "send",
        "commands",
        "Asks the desk for an agent; tells it how sessions go; has an erased customer's orders taken off.",
        whats=(*_OF_INTAKE, "link_order"),
    ),
    Operation(
        "intake",
        "send",
        "actions",
        "Proposes that a silent session ends, or counts no more.",
        whats=_TIMERS,
    ),
    Operation(
        "intake",
        "send",
        "outbound",
        "Gives what agents answer to the channels; tells what these show of it.",
        whats=("send", "mail", "sms", "call", "echoed", "look_up"),
    ),
    Operation("intake", "send", "outcomes", "Tells the sender of an action what became of it."),
    Operation("intake", "send", "deadletter", "Puts aside what it cannot understand."),
    Operation("desk", "receive", "commands", "Decides, in the order of this log.", True),
    Operation(
        "desk",
        "send",
        "commands",
        "Proposes that the time of something is over; goes on with what is more than one decision.",
        whats=_OF_THE_DESK,
    ),
    Operation("desk", "send", "assignments", "Tells every change of responsibility."),
    Operation(
        "desk", "send", "roster", "Tells what its agents, departments, pages, rules and policy are now."
    ),
    Operation("desk", "send", "outcomes", "Tells the sender of a command what became of it."),
    Operation("desk", "send", "deadletter", "Puts aside what it cannot understand."),
    Operation("notifier", "receive", "assignments", "Learns whom to tell.", True),
    Operation("notifier", "receive", "messages", "Learns what to tell.", True),
    Operation(
        "notifier",
        "receive",
        "receipts",
        "Learns which answers have failed, and which pages are paused.",
        True,
        whats=("delivery", "page_stands"),
    ),
    Operation("notifier", "send", "notifications", "Tells agents."),
    Operation("notifier", "send", "deadletter", "Puts aside what it cannot understand."),
    Operation("delivery", "receive", "outbound", "Sends each message, in order per conversation.", True),
    Operation("delivery", "receive", "receipts", "Learns what has arrived and what was read.", True),
    Operation(
        "delivery",
        "send",
        "receipts",
        "Tells how each message stands, and whether its page sends.",
        whats=("delivery", "page_stands"),
    ),
    Operation(
        "delivery",
        "send",
        "outbound",
        "Proposes that no echo of a message will come; puts what connectors tell behind the answer.",
        whats=("echo_timer", "carried"),
    ),
    Operation(
        "delivery",
        "send",
        "inbound",
        "Publishes what channels tell when they are asked: who customers are, older messages.",
        whats=("message", "echo", "profile"),
    ),
    Operation("delivery", "send", "deadletter", "Puts aside what it cannot understand."),
    Operation("gateway", "send", "commands", "Asks for agents and page admins.", whats=_OF_GATEWAYS),
    Operation("gateway", "send", "actions", "Asks for agents in a conversation.", whats=_OF_AGENTS),
    Operation("gateway", "receive", "notifications", "Tells agents who are connected; it has no group."),
    Operation("gateway", "receive", "outcomes", "Answers who asked; it has no group."),
    Operation(
        "gateway",
        "receive",
        "messages",
        "Shows new lines to who has the conversation open; it has no group.",
        whats=("stored", "marked"),
    ),
    Operation(
        "gateway",
        "receive",
        "receipts",
        "Shows them how answers fare; it has no group.",
        whats=("delivery",),
    ),
    Operation("webhooks", "receive", "assignments", "Tells other systems' URLs; it has no group."),
    Operation("webhooks", "receive", "messages", "Tells other systems' URLs; it has no group."),
    Operation("webhooks", "receive", "roster", "Tells other systems' URLs; it has no group."),
    Operation("cli", "send", "commands", "`tongdai apply` configures a desk.", whats=("configure",)),
    Operation("cli", "receive", "outcomes", "`tongdai apply` waits for its outcome; it has no group."),
)


def operations() -> Schema:
    """Return every operation by its name."""
    return {operation.name: _operation(operation) for operation in _OPERATIONS}


def _operation(operation: Operation) -> Schema:
    whats = [
        kind for kind in kinds_of(operation.topic) if not operation.whats or kind.what in operation.whats
    ]
    names = [message_name(kind) for kind in whats] or [operation.topic]
    channel = f"#/channels/{operation.topic}"
    document: Schema = {
        "action": operation.action,
        "channel": {"$ref": channel},
        "summary": operation.summary,
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in names],
    }
    if operation.grouped:
        group = {"type": "string", "const": f"{PREFIX}.{operation.worker}"}
        document["bindings"] = {"kafka": {"groupId": group, "bindingVersion": BINDING_VERSION}}
    return document
