"""Which records of a batch take effect here: the refused and the misplaced go their own ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from schemas.actions import StartChat
from schemas.ids import message_id_text, page_of
from schemas.inbound import InboundRecord, InboundUtterance, Other
from workers.routing.intake.conversations import Conversations, Name
from workers.routing.intake.pages import Owner, Owners
from workers.routing.intake.reading import Effective, Gesture, ToldValue, read
from workers.routing.intake.work import Work
from workers.runtime.batch import Record
from workers.runtime.refusal import RefusedError


class Reading(NamedTuple):
    """A record that was understood."""

    record: Record
    at_ms: int
    value: Effective
    page: str
    """Of what a channel tells or may begin; empty for others, whose conversation must be known."""


class Said(NamedTuple):
    """An utterance that takes effect here, unless it is a duplicate."""

    record: Record
    at_ms: int
    name: Name
    value: InboundUtterance
    owner: Owner
    message: str


class Made(NamedTuple):
    """A gesture that takes effect here."""

    record: Record
    at_ms: int
    name: Name
    value: Gesture
    owner: Owner


class Told(NamedTuple):
    """An assignment event, a timer or an action that takes effect here."""

    record: Record
    at_ms: int
    name: Name
    value: ToldValue
    owner: Owner | None = None
    """Whose page it is where a conversation may begin with it."""


Admitted = Said | Made | Told


class Admission:
    """The checks that need to know the pages' owners and the conversations' lanes.

    Args:
        conversations: those whose lane is known.
        partition_of: where records of a conversation's key belong.
    """

    def __init__(self, conversations: Conversations, partition_of: Callable[[bytes], int]) -> None:
        self._conversations = conversations
        self._partition_of = partition_of

    def admit(self, work: Work, reading: Reading, owners: Owners) -> Admitted | None:
        """The record with its conversation; none when it is refused or sent on, as `work.batch` then says."""
        try:
            admitted = _name(reading, owners)
        except RefusedError as refusal:
            work.batch.reject(reading.record, refusal.reason, refusal.detail)
            return None
        if reading.record.topic != "assignments" and self._is_misplaced(admitted.name, reading.record):
            work.batch.forward(reading.record)
            return None
        return admitted

    def _is_misplaced(self, name: Name, record: Record) -> bool:
        """Whether a producer with another partitioner put it here; known conversations are quick to tell."""
        known = self._conversations.get(name)
        if known is not None and known.lane == record.lane:
            return False
        return self._partition_of(record.key) != record.lane


def read_all(work: Work) -> list[Reading]:
    """The batch's records as values; those that cannot be read are rejected, those nobody needs counted."""
    readings = []
    for record, at_ms in zip(work.batch.records, work.batch.at_ms, strict=True):
        try:
            value = read(record)
        except RefusedError as refusal:
            work.batch.reject(record, refusal.reason, refusal.detail)
            continue
        if isinstance(value, Other):
            work.became["other"] += 1
            continue
        readings.append(Reading(record, at_ms, value, _page(record, value)))
    return readings


def _name(reading: Reading, owners: Owners) -> Admitted:
    record, at_ms, value, page = reading
    if not isinstance(value, InboundRecord):
        owner = owners.get(page) if page else None
        is_theirs = owner is not None and owner.workspace == value.workspace
        return Told(record, at_ms, (value.workspace, record.key), value, owner if is_theirs else None)
    owner = _owner(page, value.workspace, owners)
    if not isinstance(value, InboundUtterance):
        return Made(record, at_ms, (owner.workspace, record.key), value, owner)
    message = message_id_text(page, value.channel_message_id)
    return Said(record, at_ms, (owner.workspace, record.key), value, owner, message)


def _owner(page: str, claimed: str | None, owners: Owners) -> Owner:
    owner = owners.get(page)
    if owner is None:
        raise RefusedError(
            "unknown_page",
            f"no workspace has connected the page {page}: name it in a workspace file, "
            "`tongdai apply` that, then replay this record",
        )
    if claimed is not None and claimed != owner.workspace:
        raise RefusedError("wrong_workspace", f"the page {page} does not belong to the workspace {claimed}")
    return owner


def _page(record: Record, value: Effective) -> str:
    if isinstance(value, InboundRecord):
        return value.page
    return page_of(record.key.decode()) if isinstance(value, StartChat) else ""
