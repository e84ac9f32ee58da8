-- What members of the Discord do about 911 calls, dispatch calls and panics. A subject is named as
-- its events name it: `dispatch:10@county`. Times are in milliseconds since 1970.

CREATE TABLE responses (
    id      INTEGER PRIMARY KEY,
    subject TEXT    NOT NULL,
    caller  TEXT    NOT NULL,  -- as in the audit log: `discord:123`
    at      INTEGER NOT NULL,
    left_at INTEGER
) STRICT;

CREATE UNIQUE INDEX responses_current ON responses (subject, caller) WHERE left_at IS NULL;
CREATE INDEX responses_of_subject ON responses (subject);

CREATE TABLE incident_notes (
    id      INTEGER PRIMARY KEY,
    subject TEXT    NOT NULL,
    caller  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    text    TEXT    NOT NULL
) STRICT;

CREATE INDEX incident_notes_of_subject ON incident_notes (subject, id);
