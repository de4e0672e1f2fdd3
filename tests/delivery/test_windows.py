"""For how long answers are given: as the channels count, by what is known when an answer is given to them."""

from __future__ import annotations

import time

import pytest

from schemas.envelope import Kind
from tests.delivery.ground import OA, ONE, TWO, ground
from tests.delivery.test_echoes import apply_log
from tests.intake.log import PARTITIONS, Log, key_of
from workers.channels.delivery import connecting
from workers.channels.delivery.window import DAY_S
from workers.routing.intake.handler import IntakeHandler

pytestmark = pytest.mark.servers
LATE_S = 3 * DAY_S
BLOCK = "UPDATE conversation SET blocked = $1 WHERE key = $2"


async def test_whatever_a_channel_counts_as_writing_lets_an_answer_go(database: str) -> None:
    async with ground(database) as field:
        intake, log = IntakeHandler(PARTITIONS), Log(now_ms=round((time.time() - LATE_S) * 1000))
        log.say("by ad", "a1", page=ONE, referral={"source": "ADS"})
        for user in ("kept out", "silent"):
            log.say(user, f"b {user}", page=ONE)
        for user in ("follows", "told of"):
            log.say(user, f"c {user}", page=OA)
        await apply_log(field, intake, log)
        await field.database.execute(BLOCK, True, key_of("kept out", ONE))
        log, intake = Log(now_ms=round(time.time() * 1000)), IntakeHandler(PARTITIONS)
        log.say("kept out", "b2", page=ONE)
        for user, interaction in (("follows", True), ("told of", False)):
            who = {"channel": "zalo", "account": "300", "user": user}
            profile = {**who, "follows": True, "interaction": interaction}
            log.append(Kind("inbound", "profile"), key_of(user, OA), profile)
        await apply_log(field, intake, log)
        await field.database.execute(BLOCK, False, key_of("kept out", ONE))
        field.one.heard("by ad", LATE_S)
        field.one.ad_at_s["by ad"] = time.time() - LATE_S
        for account, user in ((field.one, "kept out"), (field.oa, "follows")):
            account.heard(user)
        asked = {
            user: await field.say(page, user, "dạ", silent_s=LATE_S)
            for page, user in (
                *((ONE, "by ad"), (ONE, "kept out"), (ONE, "silent")),
                *((OA, "follows"), (OA, "told of")),
            )
        }
        async with field.delivering():
            await field.until(asked["silent"], "failed", "window_closed")
            await field.until(asked["told of"], "failed", "window_paid")
            for user in ("by ad", "kept out", "follows"):
                await field.until(asked[user], "sent")
        assert {each.tag for each in field.one.said} == {None}
        async with field.delivering(messenger_ad_days=2.0):
            late = await field.say(ONE, "by ad", "dạ", silent_s=LATE_S)
            await field.until(late, "failed", "window_closed")


async def test_an_answer_that_waited_goes_when_the_customer_has_written_meanwhile(database: str) -> None:
    async with ground(database) as field:
        intake, log = IntakeHandler(PARTITIONS), Log(now_ms=round((time.time() - LATE_S) * 1000))
        log.say("an", "m1", page=TWO)
        await apply_log(field, intake, log)
        await field.database.execute("UPDATE delivery_page SET paused = 'token_broken'")
        waiting = await field.say(TWO, "an", "dạ", silent_s=LATE_S)
        log.now_ms = round(time.time() * 1000)
        log.say("an", "m2", page=TWO)
        await apply_log(field, intake, log)
        field.two.heard("an")
        async with field.delivering():
            await connecting.connect_page(
                field.database, field.vault, TWO, connecting.Tokens(field.two.token)
            )
            await field.until(waiting, "sent")
