-- Whom an alarm mentioned because nobody had acknowledged it, numbered for each alarm: an alarm that
-- waits again escalates anew. roles: their ids with blanks between; blank in quiet hours.
-- waiting_since: since when it had waited. answer: what ended that (NULL: nothing yet); answered_by:
-- blank if nobody did.
CREATE TABLE escalations (
    alarm_id INTEGER NOT NULL REFERENCES alarms (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    level INTEGER NOT NULL,
    at INTEGER NOT NULL,
    roles TEXT NOT NULL,
    waiting_since INTEGER NOT NULL,
    answer TEXT,
    answered_at INTEGER,
    answered_by TEXT,
    PRIMARY KEY (alarm_id, number)
) STRICT, WITHOUT ROWID;

INSERT INTO escalations
SELECT alarm_id, stage, stage, at, roles, waiting_since,
    coalesce(
        CASE WHEN acknowledged_at IS NOT NULL THEN 'acknowledged' END,
        CASE WHEN snoozed_until IS NOT NULL THEN 'snoozed' END,
        outcome
    ),
    coalesce(acknowledged_at, CASE WHEN snoozed_until IS NOT NULL THEN touched_at END, settled_at),
    coalesce(acknowledged_by, snoozed_by, settled_by)
FROM alarm_calls JOIN alarms ON alarms.id = alarm_id;

DROP TABLE alarm_calls;
