-- Texts that a moderator redacted: digests of their words, and which act redacted them. first: the
-- digest of the first word; words: how many there are.
CREATE TABLE redactions (
    digest BLOB PRIMARY KEY,
    first BLOB NOT NULL,
    words INTEGER NOT NULL,
    act INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A moderator points at a message.
CREATE INDEX cards_by_message ON cards (message_id) WHERE message_id IS NOT NULL;
