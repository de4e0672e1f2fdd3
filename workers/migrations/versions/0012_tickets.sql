-- Intake: tickets -----------------------------------------------------------------------------------------------

-- One begins as a draft with each session; agents make more. Only the last of a conversation changes by itself.
CREATE TABLE ticket (
    workspace_id    text  NOT NULL,
    conversation_id uuid  NOT NULL,
    number          int   NOT NULL,               -- 1, 2, 3, … in the conversation
    ticket_id       uuid  NOT NULL,               -- of conversation and number: the order among those of one moment
    page_id         text  NOT NULL,
    session         int   NOT NULL,
    first_position  int   NOT NULL,               -- of the transcript: what it is about begins here
    status          text  NOT NULL CHECK (status IN ('draft', 'open', 'pending', 'closed')),
    subject         text  NOT NULL,
    fields          jsonb NOT NULL,               -- values by the field's id
    agent_id        text,                         -- who was given the conversation last in its session
    created_at      timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    changed_by      text,                         -- none: by itself
    PRIMARY KEY (workspace_id, conversation_id, number)
) WITH (fillfactor = 80);
-- The workspace does not come first, so that no plan takes these for finding one ticket.
CREATE INDEX ticket_of_workspace ON ticket (status, workspace_id, changed_at, ticket_id);
CREATE INDEX ticket_of_page ON ticket (page_id, workspace_id, status, changed_at, ticket_id);
CREATE INDEX ticket_of_agent ON ticket (agent_id, workspace_id, status, changed_at, ticket_id)
    WHERE agent_id IS NOT NULL;

-- Desk: orders --------------------------------------------------------------------------------------------------

ALTER TABLE desk_conversation
    ADD COLUMN orders jsonb NOT NULL DEFAULT '[]'; -- pairs of the other system's id and the status

-- The gateway's own: quick replies ------------------------------------------------------------------------------

CREATE TABLE quick_reply (
    workspace_id  text  NOT NULL,
    reply_id      text  NOT NULL,                 -- chosen by who writes it
    type          text  NOT NULL,
    description   text  NOT NULL,
    body          text  NOT NULL,
    attachments   jsonb NOT NULL,
    desk_id       text,
    department_id text,                           -- whose agents may use it; none: everybody's
    ticket        jsonb,                          -- what it changes of the ticket
    changed_by    text  NOT NULL,
    changed_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, reply_id)
);
