"""What a channel shows of our own messages: known again, never a second line of the transcript."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from schemas.inbound import Attachment, Echo
from schemas.outbound import Echoed
from tests.delivery.ground import OA, ONE, Ground, ground
from tests.intake.log import PARTITIONS, Log, published
from tests.waiting import eventually
from workers.channels.delivery.marker import marker
from workers.channels.delivery.parts import Part, parts_of
from workers.routing.intake.handler import IntakeHandler
from workers.routing.intake.own import Own, Sent, own

MESSAGE, OTHER = str(UUID(int=1)), str(UUID(int=2))
TEXT = Part(0, "Dạ còn ạ")


def _echo(channel: str = "zalo", **fields: Any) -> Echo:  # noqa: ANN401 - of Echo
    values = {"channel_message_id": "x9", "author": "bot", "text": "Dạ còn ạ", **fields}
    return Echo.model_validate({"channel": channel, "account": "1", "user": "an", **values})


def test_a_known_id_and_our_mark_tell_that_it_is_ours() -> None:
    sent = [Sent(OTHER, ("x1", "x9"), None), Sent(MESSAGE, (), TEXT)]
    assert own(_echo(), sent) == Own(OTHER, 1, known=True)
    marked = _echo("messenger", channel_message_id="m5", marker=marker(UUID(MESSAGE), 0))
    assert own(marked, sent) == Own(MESSAGE, 0, known=False)
    assert own(marked, [Sent(MESSAGE, ("m4",), None)]) == Own(MESSAGE, 0, known=True)


def test_on_zalo_the_text_tells_while_a_message_is_under_way() -> None:
    assert own(_echo(), [Sent(MESSAGE, ("x1",), TEXT)]) == Own(MESSAGE, 1, known=False)
    assert own(_echo(text="Dạ co\u0300n ạ "), [Sent(MESSAGE, (), TEXT)]) == Own(MESSAGE, 0, known=False)
    (image,) = parts_of({"attachments": [{"type": "image", "url": "https://cdn.example/a"}]}, 10)
    shown = _echo(text=None, attachments=(Attachment(type="image", url="https://cdn.example/b"),))
    assert own(shown, [Sent(MESSAGE, (), image)]) == Own(MESSAGE, 0, known=False)


@pytest.mark.parametrize(
    ("echo", "sent"),
    [
        (_echo(), []),
        (_echo(), [Sent(MESSAGE, (), None)]),
        (_echo(text="khác"), [Sent(MESSAGE, (), TEXT)]),
        (_echo("messenger"), [Sent(MESSAGE, (), TEXT)]),
        (_echo("messenger", marker="another bot's"), [Sent(MESSAGE, (), TEXT)]),
        (_echo("messenger", marker=marker(UUID(int=7), 0)), [Sent(MESSAGE, (), TEXT)]),
    ],
)
def test_what_another_has_said_is_not_ours(echo: Echo, sent: list[Sent]) -> None:
    assert own(echo, sent) is None


@pytest.mark.servers
@pytest.mark.parametrize("page", [ONE, OA])
async def test_an_echo_of_ours_is_told_to_delivery_and_not_stored(database: str, page: str) -> None:
    async with ground(database, echo_wait_s=30.0) as field:
        account = {ONE: field.one, OA: field.oa}[page]
        account.faults.append("lose")
        intake, log = IntakeHandler(PARTITIONS), Log()
        log.say("an", "c1", page=page)
        await apply_log(field, intake, log)
        message = await field.say(page, "an", "Dạ còn ạ")
        async with field.delivering():

            async def is_unknown() -> bool:
                return bool((await field.row(message))["state"] == "unknown")

            await eventually(is_unknown, "the outcome is unknown")
            shown = {"marker": account.said[0].marker} if page == ONE else {}
            echo: dict[str, Any] = {"what": "echo", "page": page, "author": "bot", **shown}
            log.say("an", account.said[0].id, **echo, text="Dạ còn ạ")
            log.say("an", "foreign", **echo | {"marker": "x"}, text="tin của bot khác")
            batch = await apply_log(field, intake, log)
            ((what, value),) = published(batch, "outbound")
            assert what == "echoed"
            await field.handle(Echoed.model_validate(value))
            await field.until(message, "sent")
        log.say("an", account.said[0].id, **echo, text="Dạ còn ạ")
        again = await apply_log(field, intake, log)
        assert (published(again, "outbound"), published(again, "messages")) == ([], [])
        lines = await field.database.fetch("SELECT body, sender FROM message ORDER BY position")
        assert [tuple(line) for line in lines] == [("text of c1", "customer"), ("tin của bot khác", "bot")]


async def apply_log(field: Ground, intake: IntakeHandler, log: Log) -> Any:  # noqa: ANN401 - a batch
    batch = log.batch()
    connection = await asyncpg.connect(field.settings.postgres.dsn.get_secret_value())
    try:
        async with connection.transaction():
            await intake.handle(connection, batch)
    finally:
        await connection.close()
    assert batch.rejected == 0
    return batch
