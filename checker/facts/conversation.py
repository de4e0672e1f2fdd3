"""A conversation as its chain tells it: the fold that the desk's table must agree with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from checker.facts.chains import Link
from checker.record import Json, at_ms


@dataclass(slots=True)
class Conversation:
    """How things stand after some events. Times are milliseconds since 1970; names are those of the table."""

    key: str = ""
    seq: int = 0
    last_event_id: str | None = None
    epoch: int = 0
    round: int = 1
    care: str = "new"
    standing: str = "idle"
    holder: str | None = None
    session: int = 0
    session_open: bool = False
    after_position: int = 0
    rule: str | None = None
    queued_at: int | None = None
    queued_offset: int | None = None
    priority: int = 2
    facts: Json | None = None
    reason: str | None = None
    outcome: str | None = None
    declined: frozenset[str] = frozenset()
    audience: str | None = None
    ring: int = 0
    offer_expires_at: int | None = None
    transfer: Json | None = None
    followers: frozenset[str] = frozenset()
    muted: frozenset[str] = frozenset()
    held_since: int | None = None
    taken_from: str | None = None
    last_holder: str | None = None
    last_held_at: int | None = None
    blocked: bool = False
    blocked_until: int | None = None
    blocked_at: int | None = None
    blocked_by: str | None = None
    blocked_reason: str | None = None
    silent: bool = False
    absent_until: int | None = None
    quiet_until: int | None = None
    orders: tuple[tuple[str, str], ...] = ()
    admin_followers: frozenset[str] = frozenset()

    @property
    def channel(self) -> str:
        return self.key.partition(":")[0]

    @property
    def page(self) -> str:
        return ":".join(self.key.split(":", 2)[:2])

    @property
    def carried(self) -> tuple[str, bool] | None:
        """Who has it to do, and whether it is silent: its holder, while a session is open, unless blocked."""
        if self.holder is None or not self.session_open or self.blocked:
            return None
        return self.holder, self.silent

    def follow(self, link: Link) -> None:
        """Apply the next event."""
        special = _SPECIAL.get(link.what)
        if special is not None:
            special(self, link)
        if link.round != self.round:
            self.orders = tuple(one for one in self.orders if one[1] not in _OVER)
        if link.standing != "offered":
            self.audience, self.ring, self.offer_expires_at = None, 0, None
        self.seq, self.last_event_id = link.seq, link.id
        self.epoch, self.round, self.session = link.epoch, link.round, link.session
        self.care, self.standing, self.holder = link.care, link.standing, link.holder
        self.after_position = link.after_position


def moment(said: Json, name: str) -> int | None:
    """The time that an event says; none: it says none."""
    value = said.get(name)
    return None if value is None else at_ms(value)


def _let_go(now: Conversation, link: Link) -> None:
    """Whoever holds it has had it until this event."""
    if now.holder is not None:
        now.last_holder, now.last_held_at = now.holder, link.at_ms


def _session_opened(now: Conversation, link: Link) -> None:
    now.session_open, now.silent, now.facts = True, False, link.said.get("facts")
    now.queued_at, now.queued_offset = link.at_ms, link.cause_offset


def _session_closed(now: Conversation, link: Link) -> None:
    now.session_open = now.silent = False
    now.declined = frozenset()
    now.transfer = now.absent_until = now.quiet_until = None
    now.rule = now.queued_at = now.queued_offset = None
    now.priority = 2
    _let_go(now, link)


def _waits(now: Conversation, link: Link) -> None:
    now.quiet_until, now.rule = None, link.rule
    now.queued_at, now.queued_offset = moment(link.said, "queued_at"), link.said.get("queued_offset")
    now.priority = link.said.get("priority", 2)


def _offered(now: Conversation, link: Link) -> None:
    _waits(now, link)
    now.audience, now.ring = link.said.get("audience"), link.said.get("ring", 0)
    now.offer_expires_at = moment(link.said, "expires_at")
    now.declined = now.declined.union(link.said.get("let_pass", ()))


def _assigned(now: Conversation, link: Link) -> None:
    holder = {link.holder} if link.holder else set()
    department = (now.transfer or {}).get("to_department")
    now.taken_from = now.audience or (department and f"department:{department}") or now.taken_from
    now.followers, now.muted = now.followers | holder, now.muted - holder
    now.admin_followers -= holder
    now.declined &= holder
    now.rule = link.said.get("fallback_of") or link.rule or now.rule
    if now.care in {"new", "waiting"}:
        now.reason = None
    now.silent = False
    now.quiet_until = now.absent_until = None
    now.transfer = None
    if link.holder != now.holder:
        _let_go(now, link)
        now.held_since = link.at_ms


def _unassigned(now: Conversation, link: Link) -> None:
    former = {link.said["former_holder"]}
    if not link.said.get("asked_again"):
        now.declined |= former
    now.outcome = None
    if link.said.get("how") == "refused":
        now.followers -= former
    else:
        now.reason = None
    now.silent = False
    now.transfer = None
    now.absent_until = now.held_since = None
    now.taken_from = None
    _let_go(now, link)


def _transferring(now: Conversation, link: Link) -> None:
    now.transfer = {name: link.said[name] for name in _OF_TRANSFER if link.said.get(name)}
    now.declined = now.declined.union(link.said.get("rejected", ()))


def _transfer_ended(now: Conversation, link: Link) -> None:
    now.transfer = None
    if link.said.get("how") == "rejected":
        now.declined |= {link.said["agent"]}


def _care_changed(now: Conversation, link: Link) -> None:
    now.reason, now.outcome = link.said.get("reason"), link.said.get("outcome")
    if now.care == "done":  # its next round begins: nobody holds it, everybody may be asked
        now.declined = frozenset()
        now.absent_until = now.held_since = None
        now.taken_from = None
        _let_go(now, link)


def _followed(now: Conversation, link: Link) -> None:
    now.followers |= {link.said["agent"]}
    if link.said.get("as_admin"):
        now.admin_followers |= {link.said["agent"]}


def _unfollowed(now: Conversation, link: Link) -> None:
    now.followers -= {link.said["agent"]}
    now.admin_followers -= {link.said["agent"]}


def _muted(now: Conversation, link: Link) -> None:
    now.muted |= {link.said["agent"]}


def _unmuted(now: Conversation, link: Link) -> None:
    now.muted -= {link.said["agent"]}


def _blocked(now: Conversation, link: Link) -> None:
    now.blocked, now.blocked_until, now.quiet_until = True, moment(link.said, "until"), None
    now.blocked_at, now.blocked_by = link.at_ms, link.said.get("by")
    now.blocked_reason = link.said.get("reason")


def _unblocked(now: Conversation, _: Link) -> None:
    now.blocked = False
    now.blocked_until = now.blocked_at = None
    now.blocked_by = now.blocked_reason = None


def _holder_absent(now: Conversation, link: Link) -> None:
    now.absent_until = moment(link.said, "until")


def _quieted(now: Conversation, link: Link) -> None:
    now.quiet_until = moment(link.said, "until")


def _silenced(now: Conversation, _: Link) -> None:
    now.silent = True


def _woken(now: Conversation, _: Link) -> None:
    now.silent = False


def _facts_changed(now: Conversation, link: Link) -> None:
    now.facts = link.said.get("facts")


def _order_changed(now: Conversation, link: Link) -> None:
    others = tuple(one for one in now.orders if one[0] != link.said["order"])
    status = link.said.get("status")
    now.orders = others if status is None else (*others, (link.said["order"], status))


_OVER = frozenset(("done", "returned", "cancelled"))
"""Orders of which a new round knows nothing."""
_OF_TRANSFER = ("to_agent", "to_department", "agents", "by", "command", "expires_at", "rejected")
_SPECIAL: dict[str, Callable[[Conversation, Link], None]] = {
    "session_opened": _session_opened,
    "session_closed": _session_closed,
    "queued": _waits,
    "offered": _offered,
    "assigned": _assigned,
    "unassigned": _unassigned,
    "transferring": _transferring,
    "transfer_ended": _transfer_ended,
    "care_changed": _care_changed,
    "followed": _followed,
    "unfollowed": _unfollowed,
    "muted": _muted,
    "unmuted": _unmuted,
    "blocked": _blocked,
    "unblocked": _unblocked,
    "holder_absent": _holder_absent,
    "quieted": _quieted,
    "session_silenced": _silenced,
    "session_woken": _woken,
    "facts_changed": _facts_changed,
    "order_changed": _order_changed,
}
"""What an event changes beside what every one says."""
