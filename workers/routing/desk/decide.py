"""`decide(desk, command, place)`: the events that answer a command. Pure: no I/O, no clock, no randomness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.asks import (
    Appoint,
    Block,
    Bulk,
    Claim,
    Follow,
    GatewayAlive,
    LinkOrder,
    Mute,
    Release,
    ReplyClaim,
    SetCapacity,
    SetCare,
    SetLeave,
    SetPresence,
    SetTicketFields,
    TakeOff,
    TakeOver,
    Transfer,
    TransferAccept,
    TransferCancel,
    TransferReject,
    Unblock,
    Unfollow,
    Unmute,
)
from schemas.commands import (
    Amend,
    AskedCommand,
    Command,
    Configure,
    HistoryKept,
    OutsideAnswer,
    Route,
    SessionEnded,
    SessionSilent,
    TimerFired,
    Touched,
    Vacate,
)
from workers.routing.desk.apply import Decided
from workers.routing.desk.appointing import appoint, release, take_off, take_over
from workers.routing.desk.asking import about_conversation
from workers.routing.desk.blocking import block, unblock
from workers.routing.desk.bulk import bulk
from workers.routing.desk.care import set_care
from workers.routing.desk.claims import claim, reply_claim
from workers.routing.desk.configure import amend, configure
from workers.routing.desk.dealing import drain
from workers.routing.desk.decision import Draft, Place
from workers.routing.desk.desk import Desk
from workers.routing.desk.expiries import timer_fired
from workers.routing.desk.following import follow, mute, unfollow, unmute
from workers.routing.desk.fork import Fork
from workers.routing.desk.leaving import go_on
from workers.routing.desk.orders import link_order
from workers.routing.desk.outcomes import answered_before
from workers.routing.desk.outside import history_kept, outside_answer
from workers.routing.desk.people import set_capacity, set_leave
from workers.routing.desk.presence import gateway_alive, set_presence
from workers.routing.desk.rehoming import rehome_opened
from workers.routing.desk.sessions import route, session_ended, session_silent, touched
from workers.routing.desk.ticket_fields import set_ticket_fields
from workers.routing.desk.transfers import transfer, transfer_accept, transfer_cancel, transfer_reject

DECISIONS: dict[type[Command], Callable[[Draft, Any], None]] = {
    Route: route,
    SessionEnded: session_ended,
    Touched: touched,
    SessionSilent: session_silent,
    OutsideAnswer: outside_answer,
    HistoryKept: history_kept,
    TimerFired: timer_fired,
    Vacate: go_on,
    Configure: configure,
    Amend: amend,
    Claim: about_conversation(claim),
    ReplyClaim: reply_claim,
    Release: about_conversation(release),
    Appoint: about_conversation(appoint),
    TakeOver: about_conversation(take_over),
    TakeOff: about_conversation(take_off),
    Transfer: about_conversation(transfer),
    TransferAccept: about_conversation(transfer_accept),
    TransferReject: about_conversation(transfer_reject),
    TransferCancel: about_conversation(transfer_cancel),
    SetCare: about_conversation(set_care),
    LinkOrder: about_conversation(link_order),
    Follow: about_conversation(follow),
    Unfollow: about_conversation(unfollow),
    Mute: about_conversation(mute),
    Unmute: about_conversation(unmute),
    Block: about_conversation(block),
    Unblock: about_conversation(unblock),
    Bulk: bulk,
    SetCapacity: set_capacity,
    SetLeave: set_leave,
    SetTicketFields: set_ticket_fields,
    SetPresence: set_presence,
    GatewayAlive: gateway_alive,
}
"""Every command and who decides it: a new command is one line here."""


def decide(desk: Desk, command: Command, place: Place) -> list[Decided]:
    """The events that answer `command`, in order; `desk` is not changed.

    First of all whoever waits is served, if by then a limit has ended that kept him waiting, or the hours of
    a rule have begun that wants him.
    """
    return _think(Draft(Fork(desk), place), command)


def carry_out(desk: Desk, command: Command, place: Place) -> list[Decided]:
    """The same events, and `desk` stands as it does when each has been applied.

    Thought on the desk itself, which saves a fork and applying twice. When this raises, what has become of
    the desk is nothing that was ever decided: let it be loaded anew.
    """
    return _think(Draft(desk, place), command)


def _think(draft: Draft, command: Command) -> list[Decided]:
    desk, at = draft.desk, draft.place.at
    has_opened = desk.openings.first_at <= at
    is_over = desk.advance(at)
    if (has_opened and rehome_opened(draft)) or is_over:
        drain(draft)
    if not (isinstance(command, AskedCommand) and answered_before(draft, command)):
        DECISIONS[type(command)](draft, command)
    return draft.decided
