"""The decisions on `configure` and `amend`: the desk's roster and rules, as they shall be from here on."""

from __future__ import annotations

from schemas.commands import Amend, Configure
from workers.routing.desk.amend_refusals import amend_refusal
from workers.routing.desk.amending import amended
from workers.routing.desk.changes import change_roster
from workers.routing.desk.dealing import drain
from workers.routing.desk.decision import Draft
from workers.routing.desk.demoting import demoted_of
from workers.routing.desk.leaving import leavers, vacate
from workers.routing.desk.offering import over, time_anew
from workers.routing.desk.outcomes import done, refuse
from workers.routing.desk.refusals import refusal
from workers.routing.desk.rehoming import rehome
from workers.routing.desk.targets import ask_anew, end_transfers_to_nobody
from workers.routing.desk.unheard import call_anew
from workers.routing.outcomes import Refusal


def configure(draft: Draft, command: Configure) -> None:
    """Change what differs, all of it or nothing; then nobody waits who could be served now.

    Who has left, or gone on leave, is released of what he holds when all others have been served; who
    administers a page no more follows no more what he followed as its admin.
    """
    _make(draft, command, command, refusal(draft.desk, command))


def amend(draft: Draft, command: Amend) -> None:
    """The same of the parts that it names."""
    roster = draft.desk.roster
    wanted = amended(roster, command)
    refused = refusal(draft.desk, wanted) or amend_refusal(roster, command, wanted)
    _make(draft, command, wanted, refused)


def _make(draft: Draft, command: Configure | Amend, wanted: Configure, refused: Refusal | None) -> None:
    """Let the desk be what is `wanted`, unless that is `refused`."""
    if refused is not None:
        refuse(draft, command, refused)
        return
    leaving, were_over = leavers(draft.desk, wanted), over(draft.desk)
    pages = demoted_of(draft.desk, wanted)
    result = change_roster(draft, wanted)
    end_transfers_to_nobody(draft)
    ask_anew(draft)
    rehome(draft)
    time_anew(draft, were_over)
    call_anew(draft, draft.desk.roster.agents)
    drain(draft)
    released = vacate(draft, leaving, "next", command, pages)
    told = {**result, "conversations": released, "version": draft.desk.roster.version}
    done(draft, command, told)
