-- Delivery: what goes out of tickets by other means ----------------------------------------------------------------

-- E-mails were the first; SMS and calls go the same way.
ALTER TABLE mail RENAME TO outreach;
ALTER TABLE outreach RENAME CONSTRAINT mail_pkey TO outreach_pkey;
ALTER INDEX mail_of_ticket RENAME TO outreach_of_ticket;
ALTER INDEX mail_sending RENAME TO outreach_sending;
ALTER INDEX mail_untold RENAME TO outreach_untold;
ALTER TABLE outreach
    ADD COLUMN means       text NOT NULL DEFAULT 'mail' CHECK (means IN ('mail', 'sms', 'call')),
    ADD COLUMN number      text,                 -- sms: the customer's, as +84…; by it his answer finds its ticket
    ADD COLUMN provider_id text,                 -- sms, call: what its provider calls it; none: it has said nothing
    ADD COLUMN duration_s  int,                  -- call: for how long both have talked
    DROP CONSTRAINT mail_state_check,
    ADD CONSTRAINT outreach_state_check CHECK (state IN (
        'queued', 'sending', 'sent', 'delivered', 'ringing', 'answered', 'ended', 'failed'));
ALTER TABLE outreach ALTER COLUMN means DROP DEFAULT;
DROP INDEX mail_due;
CREATE INDEX outreach_due ON outreach (means, page_id, due_at) WHERE state = 'queued';
CREATE INDEX outreach_number ON outreach (page_id, number, written_at) WHERE number IS NOT NULL;
-- How many SMS and calls there were of late: limits of pages and of agents.
CREATE INDEX outreach_of_page ON outreach (page_id, written_at) WHERE means <> 'mail';
CREATE INDEX outreach_of_sender ON outreach (sender, written_at) WHERE means <> 'mail';

-- With whom, and under which number, a page sends SMS and calls. Its provider's secrets are in the settings.
CREATE TABLE phone_page (
    page_id      text NOT NULL PRIMARY KEY,
    workspace_id text NOT NULL,
    account      text NOT NULL,                  -- at the provider, as the settings name it
    number       text NOT NULL                   -- as +84…: whom customers see
);
CREATE INDEX phone_page_number ON phone_page (account, number);
