-- What the bot asks of a CAD, written in the transaction of what caused it; one worker carries it out.
CREATE TABLE cad_requests (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    cad TEXT NOT NULL,
    kind TEXT NOT NULL,
    lane INTEGER NOT NULL,
    body TEXT NOT NULL,
    subject TEXT NOT NULL DEFAULT '',
    asked_by TEXT NOT NULL DEFAULT '',
    after TEXT,
    state TEXT NOT NULL DEFAULT 'new'
        CHECK (state IN ('new', 'sent', 'done', 'refused', 'unknown')),
    tries INTEGER NOT NULL DEFAULT 0,
    asked_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    deadline INTEGER,
    sent_at INTEGER,
    ended_at INTEGER,
    answer TEXT NOT NULL DEFAULT '',
    why TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX cad_requests_open ON cad_requests (lane, seq) WHERE state IN ('new', 'sent');
CREATE INDEX cad_requests_ended ON cad_requests (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX cad_requests_of_subject ON cad_requests (subject, seq);
CREATE INDEX cad_requests_of_cad ON cad_requests (cad, asked_at);

-- When each endpoint of a CAD was used, so that its limit also holds across a restart.
CREATE TABLE cad_sends (
    cad TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX cad_sends_at ON cad_sends (at);

-- The alarm for which a 911 call was placed: it is shown on the alarm's card, not on one of its own.
ALTER TABLE emergency_calls ADD COLUMN alarm_id INTEGER;

CREATE INDEX emergency_calls_of_alarm ON emergency_calls (alarm_id) WHERE alarm_id IS NOT NULL;
