-- Lists: all that puts a conversation into one, and orders it there, in one table ------------------------------

-- When customer or agent last wrote. In whole minutes, so that most messages of a lively conversation change no
-- index; those of one minute are sorted by their exact times on reading.
ALTER TABLE notifier_conversation ADD COLUMN last_at timestamptz NOT NULL DEFAULT 'epoch';
UPDATE notifier_conversation n SET last_at = greatest(c.last_at, c.answered_at)
  FROM conversation c WHERE c.workspace_id = n.workspace_id AND c.conversation_id = n.conversation_id;
ALTER TABLE notifier_conversation ADD COLUMN last_minute timestamp NOT NULL
    GENERATED ALWAYS AS (date_trunc('minute', last_at AT TIME ZONE 'UTC')) STORED;
-- The workspace does not come first, so that no plan takes one of these for finding a single conversation; and
-- both together, so that none takes the first for what one page or one agent has.
CREATE INDEX notifier_conversation_care ON notifier_conversation ((workspace_id || '/' || care), last_minute DESC);
CREATE INDEX notifier_conversation_page ON notifier_conversation (page_id, workspace_id, care, last_minute DESC);
CREATE INDEX notifier_conversation_holder ON notifier_conversation (holder, workspace_id, care, last_minute DESC)
    WHERE holder IS NOT NULL;
CREATE INDEX notifier_conversation_audience ON notifier_conversation (audience, workspace_id, last_minute DESC)
    WHERE audience IS NOT NULL;
-- What intake and desk had for lists.
ALTER TABLE conversation DROP COLUMN last_minute;  -- and its three indexes
DROP INDEX desk_conversation_care;
DROP INDEX desk_conversation_audience;

-- Whether, not how many: so that only the first unread message and its reading change the index.
ALTER TABLE inbox ADD COLUMN is_unread boolean NOT NULL GENERATED ALWAYS AS (unread > 0) STORED;
CREATE INDEX inbox_unread ON inbox (agent_id, workspace_id, last_minute DESC) WHERE is_unread;

-- What customers and messages are searched by -------------------------------------------------------------------

-- Kept, not made again for each row that is looked at. Tags (#) and groups (@) are words, too: one index finds
-- them together. No word of a name begins with these signs.
DROP INDEX customer_search, customer_tags, customer_groups;
DROP FUNCTION customer_words(text, text, text, text);
CREATE FUNCTION label_words(workspace text, sign text, labels text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN ARRAY(SELECT workspace || '/' || sign || label FROM unnest(labels) AS label);
CREATE FUNCTION customer_words(
    workspace text, channel_name text, name text, phone text, tags text[], groups text[]
) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_to_tsvector(search_words(workspace, coalesce(channel_name, '') || ' ' || coalesce(name, ''))
    || CASE WHEN phone IS NULL THEN '{}'::text[] ELSE phone_words(workspace, translate(phone, '+-.() ', '')) END
    || CASE WHEN tags = '{}' THEN '{}'::text[] ELSE label_words(workspace, '#', tags) END
    || CASE WHEN groups = '{}' THEN '{}'::text[] ELSE label_words(workspace, '@', groups) END);
ALTER TABLE customer ADD COLUMN words tsvector NOT NULL
    GENERATED ALWAYS AS (customer_words(workspace_id, channel_name, name, phone, tags, groups)) STORED;
CREATE INDEX customer_words ON customer USING gin (words);

CREATE FUNCTION quoted_word(word text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN '''' || replace(replace(word, E'\\', E'\\\\'), '''', '''''') || '''';
-- Every word and label must be one of theirs; where `is_begun`, the last word may only begin one. Words without a
-- word find nothing.
DROP FUNCTION search_query(text, text);
CREATE FUNCTION customer_query(workspace text, words text, is_begun boolean, tags text[], groups text[])
RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT string_agg(term, ' & ')::tsquery
    FROM (
        SELECT quoted_word(word) || CASE WHEN is_begun AND place = count(*) OVER () THEN ':*' ELSE '' END AS term
        FROM unnest(search_words(workspace, words)) WITH ORDINALITY AS word (word, place)
        UNION ALL
        SELECT quoted_word(label)
        FROM unnest(label_words(workspace, '#', tags) || label_words(workspace, '@', groups)) AS label
    ) AS terms
    WHERE words IS NULL OR search_words(workspace, words) <> '{}';
END;

-- The words of a text, and (@) whose they are: what other workspaces write is passed over within the index.
CREATE FUNCTION message_words(workspace text, body text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT COST 10000  -- so that whoever searches all of them takes the index
RETURN array_to_tsvector(ARRAY['@' || workspace]) || to_tsvector('simple', folded(body));
-- Every word of it must be one of theirs, the last may only begin one; a text without words finds nothing.
CREATE FUNCTION message_query(workspace text, words text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
BEGIN ATOMIC
    SELECT (quoted_word('@' || workspace)
        || string_agg(' & ' || quoted_word(lexeme) || CASE WHEN is_last THEN ':*' ELSE '' END, ''))::tsquery
    FROM (
        SELECT lexeme, positions @> ARRAY[max(positions[cardinality(positions)]) OVER ()] AS is_last
        FROM unnest(to_tsvector('simple', folded(words))) AS word (lexeme, positions, weights)
    ) AS asked;
END;
-- A short list of what is not sorted in yet: no transaction sorts much of it in, and no search reads much of it.
CREATE INDEX message_words ON message USING gin (message_words(workspace_id, body))
    WITH (gin_pending_list_limit = 512) WHERE body IS NOT NULL;
