"""docs/guarantees.md promises what the code's numbers keep, and names proofs that are there."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from config.delivery import DeliverySettings
from config.ingress import IngressSettings
from config.mail import MailSettings
from config.phone import PhoneSettings
from config.profile import PROFILES
from config.runtime import RuntimeSettings
from config.topics import CATALOGUE, DAY_MS
from config.webhooks import WebhooksSettings
from faults.recovery import RECOVERED_S
from workers.channels.delivery.lost import LOST_MAX
from workers.channels.outreach.verdict import UNANSWERED_MAX
from workers.gateway.recent import BYTES_MAX
from workers.gateway.replay import RECORDS_MAX
from workers.routing.intake import forgetting
from workers.routing.outcomes import KEPT as KEY_KEPT
from workers.webhooks.endpoint import ATTEMPTS_KEPT

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
DELIVERY, MAIL, PHONE, RUNTIME = DeliverySettings(), MailSettings(), PhoneSettings(), RuntimeSettings()
WORDS = {3: "three", 2: "two", 20: "twenty", 100: "hundred", 3_600: "an hour", 60: "a minute"}

SMS_LATE, CALL_LATE = WORDS[round(PHONE.sms_late_s)], WORDS[round(PHONE.call_late_s)]
KAFKA = PROFILES["production"]["kafka"]
COPIES, IN_SYNC = KAFKA["replication_factor"], KAFKA["min_insync_replicas"]


def kept(days: int | None) -> str:
    """The topics that are kept for so long."""
    names = [topic.name for topic in CATALOGUE if topic.retention_ms == (days and days * DAY_MS)]
    return ", ".join(f"`{name}`" for name in names)


@pytest.mark.parametrize(
    "said",
    [
        f"In {IngressSettings().publish_deadline_s} s or 503",
        f"the id is known for **{forgetting.KEPT.days} days**",
        f"**{KEY_KEPT // timedelta(hours=1)} hours**",
        f"topics are kept for ever ({kept(None)}), 30 days ({kept(30)}), or 7 days (the others)",
        f"behind 7 days, or behind a gateway's memory ({BYTES_MAX >> 20} MB) and {RECORDS_MAX:,} records",
        f"after a crash, about the last {WORDS[ATTEMPTS_KEPT]}",
        f"after {WORDS[round(WebhooksSettings().give_up_s / 86_400)]} days without success",
        f"when {DELIVERY.waiting_max} of a conversation wait",
        f"up to {UNANSWERED_MAX} times, when no attempt's end is known | {MAIL.attempts_max} attempts",
        f"| {PHONE.attempts_max} attempts, or too late ({SMS_LATE}; a call {CALL_LATE})",
        f"channel's echo within {DELIVERY.echo_wait_s:.0f} s",
        f"| `{DELIVERY.unanswered}` (unless set otherwise)",
        f"up to {LOST_MAX} times for a part",
        f"{WORDS[RUNTIME.exceptions_in_a_row_limit]} failures in a row",
        f"zero within {RECOVERED_S:.0f} s",
        f"{WORDS[COPIES]} copies of each topic, {WORDS[IN_SYNC]} of them in sync",
    ],
)
def test_each_number_is_the_codes(said: str) -> None:
    assert said in PAGE


def test_every_other_topic_is_kept_for_seven_days() -> None:
    assert {topic.retention_ms for topic in CATALOGUE} == {None, 7 * DAY_MS, 30 * DAY_MS}


def test_every_proof_is_there() -> None:
    named = set(re.findall(r"`((?:tests|faults)/[a-z_/]+\.py)`", PAGE))
    assert len(named) > 15
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_no_promise_is_without_a_proof() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| to whom")]
    promises = [row for row in rows if not row.startswith(("| what |", "| `mark`", "| `resend`", "| | "))]
    assert [row for row in promises if not re.search(r"\.py`[^|]*\|$|reliability\.md\) \|$", row)] == []
