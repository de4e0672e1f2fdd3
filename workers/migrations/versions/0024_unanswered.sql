-- Attempts whose end nobody knows: bounded, as each may have reached the customer -------------------------------------

-- unanswered: those of an e-mail, an SMS or a call that lost their worker, or to which no answer came.
ALTER TABLE outreach ADD COLUMN unanswered int NOT NULL DEFAULT 0;
-- lost: those of a message's next part that lost their worker.
ALTER TABLE delivery ADD COLUMN lost int NOT NULL DEFAULT 0;
