-- Lists: in the order of the last interaction, with what agents narrow and search them by -----------------------

-- In whole minutes, so that most messages of a lively conversation change no index; those of one minute are
-- sorted by their exact times on reading.
ALTER TABLE conversation ADD COLUMN last_minute timestamp NOT NULL
    GENERATED ALWAYS AS (date_trunc('minute', greatest(last_at, answered_at) AT TIME ZONE 'UTC')) STORED;
-- Pages come first, so that no plan takes it for finding one conversation.
CREATE INDEX conversation_of_page ON conversation (page_id, workspace_id, last_minute DESC);
CREATE INDEX conversation_unheld ON conversation (workspace_id, page_id, last_minute DESC) WHERE holder IS NULL;
CREATE INDEX conversation_held ON conversation (workspace_id, holder, last_minute DESC) WHERE holder IS NOT NULL;
ALTER TABLE inbox ADD COLUMN last_minute timestamp NOT NULL
    GENERATED ALWAYS AS (date_trunc('minute', updated_at AT TIME ZONE 'UTC')) STORED;
CREATE INDEX inbox_followed ON inbox (workspace_id, agent_id, last_minute DESC) WHERE follows;

-- By both together, so that no plan takes it for finding one conversation or adding up loads.
CREATE INDEX desk_conversation_care ON desk_conversation ((workspace_id || '/' || care), page_id);
CREATE INDEX desk_conversation_audience ON desk_conversation (workspace_id, audience) WHERE audience IS NOT NULL;

-- Small letters without Vietnamese diacritics, however they were typed: apart, the marks are few to take away.
CREATE FUNCTION folded(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN lower(translate(normalize(words, NFD), U&'\0111\0110\0300\0301\0303\0309\0323\0302\0306\031B', 'dd'));

-- The words of a text, each with its workspace in front: what other workspaces write costs nothing here.
CREATE FUNCTION search_words(workspace text, words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN array_remove(string_to_array(
    workspace || '/' || replace(translate(folded(words), E'\t\n!"#$%&()*+,-./:;<=>?@\'\\_', repeat(' ', 27)),
        ' ', ' ' || workspace || '/'), ' '), workspace || '/');

-- The end of a phone number is enough to find it: each end of it is a word.
CREATE FUNCTION phone_words(workspace text, digits text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN ARRAY[
    workspace || '/' || right(digits, 3), workspace || '/' || right(digits, 4), workspace || '/' ||
    right(digits, 5), workspace || '/' || right(digits, 6), workspace || '/' || right(digits, 7),
    workspace || '/' || right(digits, 8), workspace || '/' || right(digits, 9), workspace || '/' ||
    right(digits, 10), workspace || '/' || right(digits, 11), workspace || '/' || right(digits, 12),
    workspace || '/' || right(digits, 13), workspace || '/' || right(digits, 14)
];

CREATE FUNCTION customer_words(workspace text, channel_name text, name text, phone text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10000  -- so that whoever searches all of them takes the index
RETURN array_to_tsvector(search_words(workspace, coalesce(channel_name, '') || ' ' || coalesce(name, ''))
    || CASE WHEN phone IS NULL THEN '{}'::text[] ELSE phone_words(workspace, translate(phone, '+-.() ', '')) END);
CREATE INDEX customer_search ON customer USING gin (customer_words(workspace_id, channel_name, name, phone));

-- Every word of it must begin a word of theirs.
CREATE FUNCTION search_query(workspace text, words text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
BEGIN ATOMIC
    SELECT string_agg(quote_literal(word) || ':*', ' & ')::tsquery FROM unnest(search_words(workspace, words)) AS word;
END;
