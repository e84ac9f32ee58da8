-- What is wrong and was told to people: one row from its begin to its end, one message in Discord.
CREATE TABLE troubles (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    sentence TEXT NOT NULL,
    cure TEXT NOT NULL,
    about INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    ended_at INTEGER,
    times INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE UNIQUE INDEX open_troubles ON troubles (key) WHERE ended_at IS NULL;
CREATE INDEX ended_troubles ON troubles (ended_at) WHERE ended_at IS NOT NULL;
