-- Intake: what belongs to a ticket beside the chat ---------------------------------------------------------------

-- Lines of the transcript that are e-mails of a ticket.
CREATE TABLE ticket_line (
    workspace_id    text NOT NULL,
    conversation_id uuid NOT NULL,
    ticket          int  NOT NULL,
    position        int  NOT NULL,                -- of the transcript
    PRIMARY KEY (workspace_id, conversation_id, ticket, position)
);

-- Delivery: e-mails on their way ---------------------------------------------------------------------------------

-- How each one stands. Before it is given to the mail server, `sending` and `attempted_at` are written.
CREATE TABLE mail (
    workspace_id    text NOT NULL,
    message_id      uuid NOT NULL,
    desk_id         text NOT NULL,
    lane            int  NOT NULL,
    conversation_id uuid NOT NULL,
    key             text NOT NULL,                -- channel:account:user
    page_id         text NOT NULL,
    position        int  NOT NULL,
    sender          text NOT NULL,
    ticket          int  NOT NULL,
    ticket_id       uuid NOT NULL,                -- in the address of replies
    token           text,                         -- the signed part of that address; none: no such address was set
    content         jsonb,                        -- to, subject, text; none: sent, or nothing more is tried
    state           text NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed')),
    reason          text,
    due_at          timestamptz,                  -- queued: not before
    attempts        int  NOT NULL DEFAULT 0,      -- numbers them: who comes back late finds another number
    failures        int  NOT NULL DEFAULT 0,      -- in a row
    attempted_at    timestamptz,
    version         int  NOT NULL DEFAULT 1,
    told            boolean NOT NULL DEFAULT false, -- on receipts
    written_at      timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    open            boolean NOT NULL GENERATED ALWAYS AS (state IN ('queued', 'sending')) STORED,
    PRIMARY KEY (workspace_id, message_id)
) WITH (fillfactor = 70);
-- In the order of a ticket; where a reply belongs is found by it, too.
CREATE INDEX mail_of_ticket ON mail (ticket_id, position);
CREATE INDEX mail_due ON mail (page_id, due_at) WHERE state = 'queued';
CREATE INDEX mail_sending ON mail (attempted_at) WHERE state = 'sending';
CREATE INDEX mail_untold ON mail (lane, changed_at) WHERE NOT told;

-- How e-mail is sent for a page. The login is encrypted with TONGDAI_DELIVERY_KEYS.
CREATE TABLE mail_page (
    page_id      text NOT NULL PRIMARY KEY,
    workspace_id text NOT NULL,
    host         text NOT NULL,
    port         int  NOT NULL,
    tls          text NOT NULL CHECK (tls IN ('starttls', 'implicit', 'none')),
    login        bytea,                           -- user and password; none: the server asks for none
    address      text NOT NULL,                   -- whom customers see as the sender
    name         text NOT NULL,
    language     text NOT NULL CHECK (language IN ('vi', 'en'))
);
