"""What the contract says in sentences: to connectors, to consumers, to operators."""

from __future__ import annotations

from config.kafka import KafkaSettings
from config.profile import PROFILES
from config.topics import DEADLETTER_PARTITIONS, MAX_MESSAGE_BYTES

TITLE = "Tongdai"
_MANY, _FEW = (KafkaSettings.model_validate(PROFILES[name]["kafka"]) for name in ("production", "local"))
_CONVERSATION = (
    f"{_MANY.conversation_partitions} in production, {_FEW.conversation_partitions} in the local profile"
)
_OTHERS = f"{_MANY.desk_partitions} ({_FEW.desk_partitions})"

INFO = f"""\
Customer messages in, assignments to agents out: every message takes effect exactly once, in an order that
anyone can replay. This document is the contract of the topics.

## Who may use what

A channel's connector publishes to `inbound`; for a channel that we do not send on ourselves it takes the
answers from `outbound` (`send`) and tells on `receipts` (`carried`) how they fare. Any consumer may follow
`assignments` and `roster`. All else is how our workers speak to each other; it is described so that it can be
read, not so that other programs write it. The operations say of each topic who writes and reads what.

## Records

A record's value is JSON in UTF-8, described by a JSON Schema 2020-12 beside this document. Its headers
carry a CloudEvent 1.0 in binary mode (`ce_…`, values in UTF-8), so that any CloudEvents SDK reads it.
`ce_type` says which schema holds: `tongdai.<topic>.<what>.v1`. A record with its headers is at most
{MAX_MESSAGE_BYTES} bytes; on deadletter 65,536 more.

## Keys and partitions

Every record has a key, and all records of one key are in one partition. Topics that are keyed by
conversation have the same number of partitions ({_CONVERSATION}), so one
conversation has the same partition number on all of them; the others have {_OTHERS}, deadletter
{DEADLETTER_PARTITIONS}. These numbers do not change while a topic lives.

**Partitioner: murmur2** of the key's UTF-8 bytes, `(murmur2(key) & 0x7fffffff) % partitions`. Java's
client, aiokafka and kafkajs (its default since version 2) do so by themselves. librdkafka and everything
built on it (confluent-kafka, kcat, node-rdkafka, rdkafka for Rust, .NET, Go) must be told:
`partitioner=murmur2_random`; its own default, CRC32, puts nearly all keys elsewhere. A record of a
conversation in the wrong partition is forwarded to the right one and takes effect there, later than it
could have; its order against records that were placed rightly is then not the order in which they were
sent.

## What order means

The order of one key is the order of its partition, and nothing else: not clocks, not `ce_time`. On inbound,
actions and commands the record's timestamp is the broker's (LogAppendTime) and decisions go by it; a
channel's own time is kept as data. The messages of a customer are stored and answered in the order in which
Kafka has them, so publish one customer's messages one after another, with acks=all and idempotence on.
Between two keys there is no order. In a conversation, assignments have a number, `seq`, from 1 without
gaps, and each names its predecessor's `ce_id`; `after_position` and a message event's `seq` tell how the
two topics of one conversation lie to each other. Only `reply_refused` has no number: it changes nothing and
is no link of the chain.

## Exactly once

Our workers publish in transactions: read with `isolation.level=read_committed` and each event is there
once. Event ids are computed, so the same event has the same `ce_id` after any re-execution. A connector may
send a message twice: the pair of page and `channel_message_id` counts once (for 30 days).

## What may change within v1

Fields may be added: ignore those you do not know. Lists of words may grow (`x-extensible-enum`): expect
others. New kinds of records may appear on a topic: skip a `ce_type` that you do not know. No field goes,
none changes its type or meaning, none that was required becomes optional, keys and partitioner stay.
Anything else would be `v2`, on topics of its own. On inbound the schemas are exact, so that a mistyped
field is refused (and told on deadletter) rather than lost.
"""

TOPICS = {
    "inbound": "What customers say, normalised by a channel's connector. Kept 7 days.",
    "actions": "What agents do in a conversation, and the timers of intake.",
    "assignments": (
        "The public product: one event per change of responsibility, in one chain per conversation. "
        "Kept for ever."
    ),
    "messages": (
        "Every message, note and log line of every transcript, once, in order; what agents have read, and "
        "how customers' profiles and tags change."
    ),
    "outbound": (
        "What is to be said to customers on their channels, each message once; and what of it the channel "
        "has shown again."
    ),
    "receipts": (
        "How each message to a customer stands: queued, sent, delivered, read, failed or unknown; and which "
        "pages send nothing for now."
    ),
    "commands": "All that desks are asked, in the order in which they decide. No texts. Kept for ever.",
    "roster": (
        "Versions of the agents, departments, pages, rules and policy of every desk, and who is online. "
        "Kept for ever."
    ),
    "notifications": "What one agent, or an audience of agents, must be told.",
    "outcomes": "What became of each command of an agent, a service or the command line.",
    "deadletter": "Records that could not be understood, as they came, with the reason in their headers.",
}
"""Of each topic."""

PUBLIC = frozenset({"inbound", "assignments", "outbound", "receipts", "roster"})
"""Topics that other programs are meant to use: connectors the first, and two more; consumers the others."""
