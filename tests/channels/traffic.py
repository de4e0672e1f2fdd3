"""Simulated traffic for the tests of the ingress, and what of it is on Kafka."""

from __future__ import annotations

from collections import defaultdict

import orjson
from aiokafka.structs import ConsumerRecord

from config.ingress import IngressSettings
from tests.channels.webhooks import APPS
from workers.local.simulator.mix import Mix
from workers.local.simulator.simulator import Simulator

PAGES = ("messenger:1048", "messenger:1049", "zalo:5797")
ODD = Mix(receipt=0.1, unreadable=0.05, unknown_page=0.05, unknown_kind=0.05, duplicate=0.1, pair=0.1)


def simulator(base_url: str, rate_per_s: float) -> Simulator:
    """Everything that platforms do, odd things often."""
    apps = {"messenger_apps": APPS["messenger_apps"][1:], "zalo_apps": APPS["zalo_apps"][1:]}
    return Simulator(base_url, IngressSettings.model_validate(apps), PAGES, rate_per_s=rate_per_s, mix=ODD)


def messages(records: list[ConsumerRecord[bytes, bytes]]) -> dict[str, list[str]]:
    """Ids of the known pages' messages by conversation, in the log's order, each once."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for record in records:
        value = orjson.loads(record.value)
        if "channel_message_id" in value and f"{value['channel']}:{value['account']}" in PAGES:
            found[record.key.decode()][value["channel_message_id"]] = None
    return {key: list(ids) for key, ids in found.items()}
