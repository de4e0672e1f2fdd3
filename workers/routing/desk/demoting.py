"""Admins of a page who are that no more: by the same act they follow no more what they followed as such."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from schemas.assignments import Unfollowed
from schemas.commands import Amend, Command, Configure, Vacate
from schemas.definitions import Page
from workers.routing.desk.access import admins
from workers.routing.desk.conversation import Conversation
from workers.routing.desk.decision import Draft
from workers.routing.desk.desk import Desk

Admins = Mapping[str, Collection[str]]
"""By page."""


def demoted_of(desk: Desk, wanted: Configure) -> tuple[str, ...]:
    """The pages of which somebody is an admin no more when `wanted` is carried out."""
    return tuple(sorted(_losing(desk, wanted.pages, desk.roster.pages)))


def admins_left(desk: Desk, command: Command) -> Admins:
    """Who goes on administering the pages of which somebody might not, when `command` is decided."""
    match command:
        case Configure():
            return _losing(desk, command.pages, desk.roster.pages)
        case Amend():
            return _losing(desk, command.pages, [page.id for page in command.pages])
        case Vacate():
            return {page: admins(desk, page) for page in command.pages}
    return {}


def unfollow_demoted(draft: Draft, pages: Collection[str], part: int) -> bool:
    """Of at most `part` conversations of `pages` let nobody be a follower as an admin who is none; whether
    there are more of them."""
    found = sorted(_followed(draft.desk, pages), key=lambda one: one.key)
    for conversation in found[:part]:
        for agent in sorted(_gone(draft.desk, conversation)):
            conversation = draft.tell(Unfollowed, conversation, agent=agent)  # noqa: PLW2901  as it is by now
    return len(found) > part


def _losing(desk: Desk, wanted: Iterable[Page], pages: Iterable[str]) -> Admins:
    """Those of `pages` whose admins are not all among those who are `wanted`, with who is."""
    left: Admins = {page.id: page.admins for page in wanted}
    return {id_: left.get(id_, ()) for id_ in pages if not set(admins(desk, id_)) <= set(left.get(id_, ()))}


def _followed(desk: Desk, pages: Collection[str]) -> Iterator[Conversation]:
    every = desk.conversations.values() if pages else ()
    return (one for one in every if one.admin_followers and one.page in pages and _gone(desk, one))


def _gone(desk: Desk, conversation: Conversation) -> frozenset[str]:
    """Who follows it as an admin of its page, and is none."""
    return conversation.admin_followers.difference(admins(desk, conversation.page))
