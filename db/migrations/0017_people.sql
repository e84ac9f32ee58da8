-- An id of Discord is its own member's without a link; a row with it only says what they want to
-- be told.
DELETE FROM links WHERE user_id LIKE 'discord:%' AND user_id <> 'discord:' || member_id;

-- Whether a member gets private messages about what happens to their properties, besides alarms.
ALTER TABLE links ADD COLUMN wants_news INTEGER NOT NULL DEFAULT 1;

-- The private answer that shows a member their code: Discord lets it be edited by this token for
-- some minutes, so that it says who they are once they have typed the code.
CREATE TABLE link_answers (
    member_id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL,
    token TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
