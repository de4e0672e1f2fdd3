-- Silent sessions: no load, but bounded by what their agents take --------------------------------------------------------

CREATE INDEX desk_conversation_silent ON desk_conversation (workspace_id, desk_id, holder, page_id)
    WHERE session_open AND silent AND NOT blocked AND holder IS NOT NULL;
