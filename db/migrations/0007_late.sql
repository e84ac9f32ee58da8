-- What happened is not always received at once: the game server keeps what it cannot send. age: how
-- many milliseconds after it happened an event, a call, a panic, an alarm or a notice was received.
-- The times that are stored beside it are those of the receipt, but for alarms.raised_at.

ALTER TABLE journal ADD COLUMN age INTEGER NOT NULL DEFAULT 0;
ALTER TABLE emergency_calls ADD COLUMN age INTEGER NOT NULL DEFAULT 0;
ALTER TABLE dispatch_calls ADD COLUMN age INTEGER NOT NULL DEFAULT 0;
ALTER TABLE panics ADD COLUMN age INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notices ADD COLUMN age INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarms ADD COLUMN age INTEGER NOT NULL DEFAULT 0;

-- The answers to requests that carried a key, so that the same request again has no second effect.
-- sender: whose keys these are; digest: of what was asked.
CREATE TABLE request_keys (
    sender TEXT NOT NULL,
    key TEXT NOT NULL,
    digest BLOB NOT NULL,
    answer TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (sender, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX request_keys_by_age ON request_keys (at);
