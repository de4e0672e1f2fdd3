"""Trouble that passes, or that nobody sees the end of: it costs no more than it has to."""

from __future__ import annotations

import pytest

from schemas.outbound import EchoTimer
from tests.delivery.ground import OA, ONE, TWO, Ground, ground
from tests.waiting import eventually
from workers.channels.delivery import lost, page_rows, posting, unanswered
from workers.channels.delivery.claims import take
from workers.channels.delivery.renewal import Renewal
from workers.channels.delivery.zalo_tokens import Pair, ZaloTokens

pytestmark = pytest.mark.servers


async def test_what_fails_together_is_one_failure_of_its_page(database: str) -> None:
    async with ground(database) as field, field.database.acquire() as connection:
        for number in range(8):
            await field.say(ONE, f"u{number}", "một")
        for failures in (1, 2):
            taking = await take(connection, ONE, 8, field.settings.delivery)
            assert taking is not None
            assert len(taking.claimed) == (8 if failures == 1 else 0)
            for _ in range(8):
                await page_rows.trouble(connection, taking.page, 0.0, of_app=False)
            assert (await field.page(ONE))["failures"] == failures


async def test_a_channel_that_does_not_answer_takes_no_connections_from_another(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "CONNECTIONS_MAX", 1)
    async with ground(database, connect_timeout_s=1.0, request_timeout_s=15.0) as field:
        field.one.faults.append("hold")
        held = await field.say(ONE, "an", "một")
        async with field.delivering():
            await field.one.held.wait()
            waiting = await field.say(TWO, "an", "hai")
            await field.until(await field.say(OA, "an", "ba"), "sent")

            async def was_taken_back() -> bool:
                return bool((await field.row(waiting))["attempts"] > 1)

            await eventually(was_taken_back, "it is tried again")
            row, page = await field.row(waiting), await field.page(TWO)
            assert (row["failures"], row["reason"], page["failures"]) == (0, None, 0)
            field.one.release.set()
            await field.until(held, "sent")
            await field.until(waiting, "sent")


async def test_a_call_that_takes_long_holds_up_no_other_customer_of_its_page(database: str) -> None:
    async with ground(database, request_timeout_s=15.0) as field:
        field.one.faults.append("hold")
        held = await field.say(ONE, "an", "một")
        async with field.delivering():
            await field.one.held.wait()
            await field.until(await field.say(ONE, "binh", "hai"), "sent")
            assert (await field.row(held))["state"] == "sending"
            field.one.release.set()
            await field.until(held, "sent")


async def test_a_part_whose_workers_are_always_lost_is_not_given_for_ever(database: str) -> None:
    async with ground(database, unanswered="resend") as field, field.database.acquire() as connection:
        message = await field.say(ONE, "an", "một")
        for state in ["queued"] * lost.LOST_MAX + ["unknown"]:
            assert await take(connection, ONE, 5, field.settings.delivery)
            await connection.execute("UPDATE delivery SET attempted_at = now() - interval '1 hour'")
            assert await lost.find_lost(connection, field.settings.delivery) == 1
            await _echo_does_not_come(field)
            row = await field.row(message)
            assert (row["state"], row["reason"], row["open"]) == (state, "no_answer", state == "queued")
        await field.handle(field.echo(f"{ONE}:an", message, 0, "m1"))
        row = await field.row(message)
        assert (row["state"], row["lost"]) == ("sent", 0)


async def test_an_echos_timer_that_is_lost_is_sent_again_and_a_second_one_does_no_harm(database: str) -> None:
    async with ground(database) as field, field.database.acquire() as connection:
        message = await field.say(ONE, "an", "một")
        after = await field.say(ONE, "an", "hai")
        await take(connection, ONE, 5, field.settings.delivery)
        await connection.execute(
            "UPDATE delivery SET state = 'unknown', due_at = now() WHERE message_id = $1", message
        )
        timers = []
        for _ in range(2):
            timers += await unanswered.due(connection, [3], 10)
            assert await unanswered.due(connection, [3], 10) == []
            await connection.execute(
                "UPDATE delivery SET due_at = due_at - make_interval(secs => $2) WHERE message_id = $1",
                message,
                unanswered.AGAIN_S,
            )
        assert len({timer.id for timer in timers}) == 2
        versions = []
        for timer in timers:
            await field.handle(EchoTimer.model_validate_json(timer.value))
            row = await field.row(message)
            versions.append((row["state"], row["open"], row["version"]))
        assert versions[0] == versions[1]
        assert versions[0][:2] == ("unknown", False)
        taking = await take(connection, ONE, 5, field.settings.delivery)
        assert taking is not None
        assert [each.message for each in taking.claimed] == [after]


async def test_a_page_goes_on_as_soon_as_it_has_another_token(database: str) -> None:
    async with ground(database) as field:
        await field.connect(OA, field.oa, refresh="refresh 1")
        waiting = {page: await field.say(page, "an", "một") for page in (ONE, OA)}
        for page, message in waiting.items():
            await _pause(field, page, message)
        assert {(one.page, one.paused) for one in await field.page_news()} == {
            (ONE, "token_broken"),
            (OA, "token_broken"),
        }
        await field.connect(ONE, field.one)
        await _renew(field)
        for page, message in waiting.items():
            row = await field.page(page)
            assert (row["paused"], row["paused_at"]) == (None, None)
            assert (await field.row(message))["reason"] is None
        assert {(one.page, one.paused) for one in await field.page_news()} == {(ONE, None), (OA, None)}
        await _pause(field, TWO, await field.say(TWO, "an", "một"), "billing")
        await field.connect(TWO, field.two)
        assert (await field.page(TWO))["paused"] == "billing"
        async with field.delivering():
            for message in waiting.values():
                await field.until(message, "sent")


async def test_a_token_that_no_header_takes_pauses_its_page_and_no_other(database: str) -> None:
    async with ground(database) as field:
        broken = "UPDATE delivery_page SET access_token = $2 WHERE page_id = $1"
        await field.database.execute(broken, OA, field.vault.seal("the-token…"))
        waits, goes = [await field.say(page, "an", "một") for page in (OA, ONE)]
        async with field.delivering():
            await field.until(waits, "queued", "token_broken")
            await field.until(goes, "sent")


async def _echo_does_not_come(field: Ground) -> None:
    await field.database.execute("UPDATE delivery SET due_at = now()")
    (timer,) = await unanswered.due(field.database, [3], 10)
    await field.handle(EchoTimer.model_validate_json(timer.value))


async def _pause(field: Ground, page: str, message: object, reason: str = "token_broken") -> None:
    async with field.database.acquire() as connection:
        row = await page_rows.lock_page(connection, page, 1.0)
        assert row is not None
        await page_rows.pause(connection, row, reason, 3_600.0, message)  # type: ignore[arg-type]


async def _renew(field: Ground) -> None:
    """The official account's token is exchanged."""
    renewal = Renewal(field.database, ZaloTokens.__new__(ZaloTokens), field.vault, field.settings.delivery)
    lease = await renewal.lease()
    assert lease is not None
    await renewal.store(lease, Pair(field.oa.token, "refresh 2", 90_000))
