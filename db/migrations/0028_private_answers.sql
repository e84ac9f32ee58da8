-- Private answers that are edited when what they wait for has happened: Discord allows that with
-- the token, for 15 minutes. `key`: what each waits for; `said`: what it goes on saying.
DROP TABLE link_answers;

CREATE TABLE private_answers (
    key TEXT PRIMARY KEY,
    member_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    token TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    said TEXT NOT NULL DEFAULT '',
    locale TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

CREATE INDEX private_answers_sent_at ON private_answers (sent_at);

-- What a member asks of the CAD, and what is asked about one subject, keeps its order.
CREATE INDEX cad_requests_open_of_member ON cad_requests (asked_by, seq)
    WHERE state IN ('new', 'sent');
CREATE INDEX cad_requests_open_of_subject ON cad_requests (subject, seq)
    WHERE state IN ('new', 'sent');
