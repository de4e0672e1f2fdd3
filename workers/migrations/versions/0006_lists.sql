-- Notifier: who follows, what is offered, how far everybody has read -------------------------------------------

ALTER TABLE notifier_conversation
    ADD COLUMN page_id    text,
    ADD COLUMN lane       int,
    ADD COLUMN standing   text NOT NULL DEFAULT 'idle',
    ADD COLUMN care       text NOT NULL DEFAULT 'new',
    ADD COLUMN audience   text,                           -- to whom it is offered
    ADD COLUMN blocked    boolean NOT NULL DEFAULT false, -- nobody is told of its messages
    ADD COLUMN asked      text[] NOT NULL DEFAULT '{}',   -- who may accept its transfer
    ADD COLUMN followers  text[] NOT NULL DEFAULT '{}',
    ADD COLUMN muted      text[] NOT NULL DEFAULT '{}',
    ADD COLUMN session    int NOT NULL DEFAULT 0,         -- of the last message of the customer
    ADD COLUMN in_session int NOT NULL DEFAULT 0;         -- customer messages in it: unread while nobody holds it
UPDATE notifier_conversation n
   SET page_id = c.page_id, lane = c.lane,
       standing = CASE WHEN n.holder IS NOT NULL THEN 'held' WHEN c.holder IS NOT NULL THEN 'idle' ELSE c.standing END,
       audience = CASE WHEN n.holder IS NULL AND c.standing = 'offered' THEN 'page:' || c.page_id END,
       care = CASE WHEN n.holder IS NOT NULL THEN 'accepted' WHEN n.epoch > 0 THEN 'waiting' ELSE 'new' END,
       followers = coalesce((SELECT array_agg(i.agent_id) FROM inbox i
                              WHERE i.workspace_id = n.workspace_id AND i.conversation_id = n.conversation_id), '{}')
  FROM conversation c
 WHERE c.workspace_id = n.workspace_id AND c.conversation_id = n.conversation_id;
UPDATE notifier_conversation n
   SET session = s.session, in_session = s.said
  FROM (SELECT DISTINCT ON (workspace_id, conversation_id) workspace_id, conversation_id, session, count(*) AS said
          FROM message m
         WHERE sender = 'customer'
           AND position <= (SELECT position FROM notifier_conversation k
                             WHERE k.workspace_id = m.workspace_id AND k.conversation_id = m.conversation_id)
         GROUP BY workspace_id, conversation_id, session
         ORDER BY workspace_id, conversation_id, session DESC) s
 WHERE s.workspace_id = n.workspace_id AND s.conversation_id = n.conversation_id;

ALTER TABLE notifier_recipient ADD COLUMN agents text[] NOT NULL DEFAULT '{}'; -- followers who have not muted it
UPDATE notifier_recipient SET agents = ARRAY[holder] WHERE holder IS NOT NULL;

-- The list of an agent: what he holds, follows or has read. Former holders follow what they had.
ALTER TABLE inbox
    ADD COLUMN follows boolean NOT NULL DEFAULT true,
    ADD COLUMN muted   boolean NOT NULL DEFAULT false,
    ADD COLUMN read_to int NOT NULL DEFAULT 0;    -- his unread messages are the customer's behind it
UPDATE inbox i
   SET read_to = CASE WHEN i.holds THEN coalesce(
           (SELECT u.position - 1 FROM (
                SELECT m.position, row_number() OVER (ORDER BY m.position DESC) AS ordinal FROM message m
                 WHERE m.workspace_id = i.workspace_id AND m.conversation_id = i.conversation_id
                   AND m.position <= n.position AND m.sender = 'customer') u
             WHERE u.ordinal = i.unread), n.position) ELSE n.position END
  FROM notifier_conversation n
 WHERE n.workspace_id = i.workspace_id AND n.conversation_id = i.conversation_id;
ALTER TABLE inbox ALTER COLUMN follows SET DEFAULT false;

-- Sums over conversations, one row per place and page (and lane, so that lanes never share a row): `agent:<id>`,
-- the audience of an offer, and a page's totals `held` and `unheld`. Nothing is counted per agent who sees it.
DROP TABLE inbox_counter;
CREATE TABLE inbox_counter (
    workspace_id  text NOT NULL,
    place         text NOT NULL,
    page_id       text NOT NULL,
    lane          int  NOT NULL,
    conversations int  NOT NULL,
    unread        int  NOT NULL,                  -- messages: the holder's; of what nobody holds, the last session's
    PRIMARY KEY (workspace_id, place, page_id, lane)
) WITH (fillfactor = 50);
INSERT INTO inbox_counter
SELECT n.workspace_id, p.place, n.page_id, n.lane, count(*),
       sum(CASE WHEN n.holder IS NULL THEN n.in_session ELSE coalesce(i.unread, 0) END)
  FROM notifier_conversation n
  LEFT JOIN inbox i ON i.workspace_id = n.workspace_id AND i.agent_id = n.holder
                   AND i.conversation_id = n.conversation_id
 CROSS JOIN LATERAL unnest(
       CASE WHEN n.holder IS NOT NULL THEN ARRAY['held', 'agent:' || n.holder]
            ELSE array_remove(ARRAY['unheld', n.audience], NULL) END) AS p (place)
 WHERE n.seq > 0
 GROUP BY n.workspace_id, p.place, n.page_id, n.lane;

ALTER TABLE notifier_conversation
    ALTER COLUMN page_id SET NOT NULL,
    ALTER COLUMN lane SET NOT NULL,
    DROP COLUMN counted_to;
