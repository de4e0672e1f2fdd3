"""What comes beside the stream is what it is said to be."""

from __future__ import annotations

from faults.load import LONG, TALKERS, large
from schemas.base import TEXT_CHARS_MAX
from schemas.inbound import Message


def test_long_messages_are_as_long_as_one_may_be_and_each_is_another_one() -> None:
    sent = [*large(1), *large(2)]
    messages = [Message.model_validate_json(record.value) for record in sent]
    assert {len(message.text or "") for message in messages} == {TEXT_CHARS_MAX}
    assert len({message.channel_message_id for message in messages}) == 2 * LONG
    assert len({record.id for record in sent}) == 2 * LONG
    assert len({record.key for record in sent}) == TALKERS
