"""The decision on `configure`: the desk's whole roster and rules, as they shall be from here on."""

from __future__ import annotations

from schemas.commands import Configure
from workers.routing.desk.changes import change_roster
from workers.routing.desk.dealing import drain
from workers.routing.desk.decision import Draft
from workers.routing.desk.leaving import leavers, vacate
from workers.routing.desk.outcomes import done, refuse
from workers.routing.desk.refusals import refusal
from workers.routing.desk.rehoming import rehome
from workers.routing.desk.transfers import end_transfers_to_nobody


def configure(draft: Draft, command: Configure) -> None:
    """Change what differs, all of it or nothing; then nobody waits who could be served now.

    Who has left, or gone on leave, is released of what he holds when all others have been served.
    """
    refused = refusal(draft.desk, command)
    if refused is not None:
        refuse(draft, command, refused)
        return
    leaving = leavers(draft.desk, command)
    result = change_roster(draft, command)
    end_transfers_to_nobody(draft)
    rehome(draft)
    drain(draft)
    released = vacate(draft, leaving, "next", command)
    done(draft, command, {**result, "conversations": released})
