"""English. Sentences are in the past tense, so that a name and `you` stand in the same ones."""

from __future__ import annotations

from workers.wording.language import UNKNOWN, Language

ENGLISH = Language(
    you="you",
    system="the system",
    operator="an operator",
    service="the service {id}",
    care={
        "new": "New",
        "waiting": "Waiting",
        "accepted": "Accepted",
        "pending_close": "Pending close",
        "closed_won": "Closed won",
        "done": "Done",
        "refused": "Refused",
    },
    outcomes={"won": "won", "dead_end": "dead end"},
    sentences={
        "assigned": "The conversation went to {agent}",
        "assigned.rule": "The rule “{rule}” gave the conversation to {agent}",
        "assigned.round_robin": "{Owner} gave the conversation to {agent}",
        "assigned.least_busy": "{Owner} gave the conversation to {agent}, the least busy",
        "assigned.last_agent": "{Owner} gave the conversation to {agent}, who had this customer before",
        "assigned.fallback": "{Owner} gave the conversation to {agent}, as nobody else could take it",
        "assigned.claim": "{Agent} claimed the conversation",
        "assigned.reply": "{Agent} claimed the conversation by answering",
        "assigned.start": "{Agent} began a chat with the visitor",
        "assigned.appoint": "{By} appointed {agent}",
        "assigned.appoint.self": "{Agent} took the conversation without being asked",
        "assigned.transfer": "{Former} transferred the conversation to {agent}",
        "assigned.take_over": "{Agent} took the conversation over",
        "assigned.take_over.from": "{Agent} took the conversation over from {former}",
        "assigned.reopened": "The customer wrote again: the conversation went back to {agent}",
        "assigned.outside": "{Agent} answered the customer outside and got the conversation",
        "queued": "The conversation waits for an agent of the rule “{rule}”",
        "offered.page": "The conversation waits for an agent of the page to claim it",
        "offered.unrouted": "No rule matched: the conversation waits for an agent of the page to claim it",
        "offered.rule": "The conversation waits for an agent of the rule “{rule}” to claim it",
        "offered.admins": "The conversation waits for a page admin to appoint somebody",
        "unassigned.released": "{Agent} released the conversation",
        "unassigned.taken_off": "{By} took {agent} off the conversation",
        "unassigned.taken_off.self": "{Agent} left the conversation",
        "unassigned.refused": "{Agent} left the conversation, as the customer was refused",
        "unassigned.on_leave": "{Agent} went on leave and left the conversation",
        "unassigned.agent_removed": "{Agent} left the desk, and the conversation with it",
        "unassigned.offline": "{Agent} lost the conversation: offline when the customer wrote",
        "unassigned.outside": "Somebody answered the customer outside: {agent} left the conversation",
        "transferring.agent": "{By} offered to transfer the conversation to {to_agent}",
        "transferring.department": "{By} offered to transfer the conversation to the department {department}",
        "transferring.rejected": "{To_agent} rejected the transfer to the department {department}",
        "transfer_ended.rejected": "{To_agent} rejected the transfer: the conversation stays with {agent}",
        "transfer_ended.cancelled": "{By} cancelled the transfer",
        "transfer_ended.expired": "Nobody accepted the transfer in time: the conversation stays with {agent}",
        "transfer_ended.target_offline": "{To_agent} went offline: the conversation stays with {agent}",
        "transfer_ended.nobody_online": (
            "Nobody who could accept the transfer is online: the conversation stays with {agent}"
        ),
        "transfer_ended.target_left": (
            "{To_agent} is not on duty any more: the conversation stays with {agent}"
        ),
        "transfer_ended.nobody_left": (
            "Nobody is left who could accept the transfer: the conversation stays with {agent}"
        ),
        "transfer_ended.overtaken": "The transfer lapsed",
        "care_changed": "{By} changed the status from {former_care} to {care}",
        "care_changed.by_itself": "The status changed by itself from {former_care} to {care}",
        "care_changed.reopened": "The customer wrote again: round {round} of care began",
        "care_changed.begun": "{By} wrote to the customer again: round {round} of care began",
        "blocked": "{By} blocked this customer",
        "blocked.days": "{By} blocked this customer for {days} days",
        "unblocked": "{By} unblocked this customer",
        "unblocked.over": "The time for which this customer was blocked is over",
        UNKNOWN: "The conversation changed",
    },
)
