"""Telling the desk that somebody writes in an open session, and that nobody does in one that an agent has."""

from __future__ import annotations

from typing import Literal

from schemas.actions import SilenceTimer
from schemas.envelope import Kind
from workers.routing.intake.conversation import Conversation
from workers.routing.intake.work import Work
from workers.runtime.batch import Record

Side = Literal["customer", "agent"]
TOUCHED = Kind("commands", "touched")
SESSION_SILENT = Kind("commands", "session_silent")
TOUCHED_EVERY_MS = 60_000
"""The desk is told at most so often while the same side writes, unless it believes that nobody does."""


def watch_silence(conversation: Conversation, at_ms: int, silent_after_ms: int | None) -> None:
    """Have the silence that begins now be noticed, if the policy asks for it and none is watched for."""
    if conversation.silence_at_ms is None and silent_after_ms is not None:
        conversation.silence_at_ms = at_ms + silent_after_ms


def touch(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    by: Side,
    silent_after_ms: int | None,
) -> None:
    """Somebody wrote: tell the desk when it was not told within a minute, was told of silence, or when the
    other side has written since: an agent may have answered and gone, and who then writes waits."""
    if not conversation.session_open:
        return
    watch_silence(conversation, at_ms, silent_after_ms)
    if not conversation.silent and _knows(conversation, at_ms, by):
        return
    conversation.touched_at_ms = at_ms
    conversation.silent = False
    work.command(conversation, cause, at_ms, TOUCHED, {"by": by, "tags": conversation.tags})


def count_again(conversation: Conversation, at_ms: int, silent_after_ms: int | None) -> None:
    """An agent has been given it: it counts as his load until nobody has written for long from now on.

    Of silence that the desk was told of it may have heard after that: the next message tells it otherwise.
    """
    if not conversation.session_open:
        return
    if conversation.silent:
        conversation.silent, conversation.touched_at_ms = False, None
    conversation.silence_at_ms = None
    watch_silence(conversation, at_ms, silent_after_ms)


def tell_tags(work: Work, conversation: Conversation, cause: Record, at_ms: int) -> None:
    """The customer has other tags: who waits may be another rule's by them."""
    if conversation.session_open:
        work.command(conversation, cause, at_ms, TOUCHED, {"by": "nobody", "tags": conversation.tags})


def fall_silent(
    work: Work,
    conversation: Conversation,
    cause: Record,
    at_ms: int,
    timer: SilenceTimer,
    silent_after_ms: int | None,
) -> None:
    """A timer of silence has come: tell the desk, or arm it anew when somebody wrote meanwhile.

    A session that nobody has is nobody's load. A timer that comes when another is armed leaves all to that.
    """
    is_over = not conversation.session_open or timer.session != conversation.session
    is_another = conversation.silence_at_ms not in (None, round(timer.due_at.timestamp() * 1000))
    if is_over or is_another or conversation.silent:
        work.became["stale_timer"] += 1
        return
    work.change(conversation)
    conversation.silence_at_ms = None
    if silent_after_ms is None or conversation.holder is None:
        return
    due_ms = conversation.spoke_at_ms + silent_after_ms
    if cause.timestamp_ms < due_ms:  # by the log's clock: a worker's only proposes
        conversation.silence_at_ms = due_ms
        return
    conversation.silent = True
    work.command(conversation, cause, at_ms, SESSION_SILENT, {})


def _knows(conversation: Conversation, at_ms: int, by: Side) -> bool:
    """Whether the desk was told not long ago that this side writes."""
    touched_at_ms = conversation.touched_at_ms
    if touched_at_ms is None or at_ms - touched_at_ms >= TOUCHED_EVERY_MS:
        return False
    others_at_ms = conversation.answered_at_ms if by == "customer" else conversation.last_at_ms
    return others_at_ms is None or others_at_ms < touched_at_ms
