-- Of the followers, those who are as admins of the page: when they are that no more, they follow it no more. Who followed
-- before this is one of them from when he follows anew.
ALTER TABLE desk_conversation ADD COLUMN admin_followers text[] NOT NULL DEFAULT '{}';
CREATE INDEX desk_conversation_admin_followers ON desk_conversation (workspace_id, page_id, key COLLATE "C")
    WHERE admin_followers <> '{}';
