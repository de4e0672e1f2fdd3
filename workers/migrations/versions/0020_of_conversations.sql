-- What is of one conversation is found without reading the whole table: erasures ask for it ----------------------------

CREATE INDEX outreach_of_conversation ON outreach (conversation_id, position);
-- How many no message has named is counted by it, too.
CREATE INDEX file_of_conversation ON file (conversation_id, message_id) WHERE conversation_id IS NOT NULL;
DROP INDEX file_unused_of_conversation;
