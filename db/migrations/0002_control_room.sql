-- What Discord needs as a control room: alarms that people answer, who did what, whose Discord
-- account is which game user's, approvals by two.

-- An alarm at a property with all its repeats, until somebody settles it or it falls quiet.
-- touched_at: the last repeat, or the last that somebody did about it; waiting_since: when the time
-- began to run within which somebody must acknowledge it; called: the last stage of alarm_calls.
CREATE TABLE alarms (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    raised_at INTEGER NOT NULL,
    raised_by TEXT NOT NULL,
    last_at INTEGER NOT NULL,
    last_by TEXT NOT NULL,
    repeats INTEGER NOT NULL DEFAULT 1,
    touched_at INTEGER NOT NULL,
    waiting_since INTEGER NOT NULL,
    called INTEGER NOT NULL DEFAULT 0,
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    snoozed_until INTEGER,
    snoozed_by TEXT,
    outcome TEXT CHECK (outcome IN ('resolved', 'false', 'quiet', 'removed')),
    settled_at INTEGER,
    settled_by TEXT
) STRICT;

-- A property has one open alarm, which counts the repeats.
CREATE UNIQUE INDEX alarms_open ON alarms (property_id) WHERE outcome IS NULL;
CREATE INDEX alarms_listed ON alarms ((outcome IS NULL) DESC, id DESC);
CREATE INDEX alarms_listed_by_property ON alarms (property_id, (outcome IS NULL) DESC, id DESC);

-- What is due next: who is to be called, which snooze ends, which alarm falls quiet.
CREATE INDEX alarms_waiting ON alarms (waiting_since)
    WHERE outcome IS NULL AND acknowledged_at IS NULL AND snoozed_until IS NULL;
CREATE INDEX alarms_snoozed ON alarms (snoozed_until)
    WHERE outcome IS NULL AND snoozed_until IS NOT NULL;
CREATE INDEX alarms_touched ON alarms (touched_at)
    WHERE outcome IS NULL AND snoozed_until IS NULL;

-- What was done about an alarm, in order; who: blank for what came by itself; text: a note, until
-- when it was snoozed, the drone that was sent out.
CREATE TABLE alarm_steps (
    id INTEGER PRIMARY KEY,
    alarm_id INTEGER NOT NULL REFERENCES alarms (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    text TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX alarm_steps_by_alarm ON alarm_steps (alarm_id, id);

-- Who was called because nobody had acknowledged an alarm, each stage once. roles: their ids with
-- blanks between; blank in quiet hours.
CREATE TABLE alarm_calls (
    alarm_id INTEGER NOT NULL REFERENCES alarms (id) ON DELETE CASCADE,
    stage INTEGER NOT NULL,
    at INTEGER NOT NULL,
    roles TEXT NOT NULL,
    PRIMARY KEY (alarm_id, stage)
) STRICT, WITHOUT ROWID;

-- Who changed what, from Discord or from a script; before and after: JSON objects with what changed.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
) STRICT;

CREATE INDEX audit_by_subject ON audit (subject, id);
CREATE INDEX audit_by_who ON audit (who, id);

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- Which member of the Discord server is which game user.
CREATE TABLE links (
    member_id INTEGER PRIMARY KEY,
    user_id TEXT NOT NULL UNIQUE,
    linked_at INTEGER NOT NULL,
    linked_by TEXT NOT NULL,
    -- whether they get a private message when the alarm is raised at a property of theirs
    wants_alarms INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Codes by which a game user proves to be a member, until they run out.
CREATE TABLE link_codes (
    code TEXT PRIMARY KEY,
    member_id INTEGER NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who has approved what still needs a second approver; subject: "approval:12", "removal:7".
CREATE TABLE approvals (
    subject TEXT NOT NULL,
    who TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (subject, who)
) STRICT, WITHOUT ROWID;

-- Which picture a card's message has, so that an edit sends it only when it changed.
ALTER TABLE cards ADD COLUMN picture TEXT NOT NULL DEFAULT '';

-- Why the status was set, for the owner of a rejected property.
ALTER TABLE properties ADD COLUMN status_reason TEXT;

CREATE INDEX properties_removed ON properties (removed_at) WHERE removed_at IS NOT NULL;

CREATE INDEX allowed_users_by_user ON allowed_users (user_id);
CREATE INDEX removals_by_property ON removals (property_id, id);
-- Why a drone was sent out, and who asked for a removal: a caller, where requested_by is a game user.
ALTER TABLE flights ADD COLUMN reason TEXT NOT NULL DEFAULT '';
CREATE INDEX flights_by_drone ON flights (drone_id, id);
ALTER TABLE removals ADD COLUMN asked_by TEXT NOT NULL DEFAULT '';

CREATE INDEX crimes_by_property ON crimes (property_id, at);
CREATE INDEX emergency_calls_at ON emergency_calls (property_id) WHERE property_id IS NOT NULL;
CREATE INDEX dispatch_calls_at ON dispatch_calls (property_id) WHERE property_id IS NOT NULL;

-- The index of a search names rows by a number.
ALTER TABLE users RENAME TO users_before;
CREATE TABLE users (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    full_name TEXT NOT NULL,
    searched TEXT NOT NULL
) STRICT;
INSERT INTO users (id, full_name, searched) SELECT id, full_name, searched FROM users_before ORDER BY id;
DROP TABLE users_before;
CREATE INDEX users_by_name ON users (searched);

-- What is searched, by all groups of three characters in it. text: what a search looks through, with
-- the id; words: every word of the name behind two blanks, so that the beginning of a word, be it
-- one character, is a group of three too.
CREATE VIEW properties_text AS
    SELECT id AS number, id || char(10) || searched AS text,
        '  ' || replace(place, ' ', '  ') AS words FROM properties;
CREATE VIEW users_text AS
    SELECT number, searched AS text,
        '  ' || replace(replace(searched, char(10), '  '), ' ', '  ') AS words FROM users;
CREATE VIEW equipment_text AS
    SELECT id AS number, id || char(10) || searched AS text,
        '  ' || replace(replace(searched, char(10), '  '), ' ', '  ') AS words FROM equipment;

CREATE VIRTUAL TABLE properties_index USING fts5(
    text, words, content = 'properties_text', content_rowid = 'number',
    tokenize = 'trigram case_sensitive 1'
);
CREATE VIRTUAL TABLE users_index USING fts5(
    text, words, content = 'users_text', content_rowid = 'number',
    tokenize = 'trigram case_sensitive 1'
);
CREATE VIRTUAL TABLE equipment_index USING fts5(
    text, words, content = 'equipment_text', content_rowid = 'number',
    tokenize = 'trigram case_sensitive 1'
);
INSERT INTO properties_index (properties_index) VALUES ('rebuild');
INSERT INTO users_index (users_index) VALUES ('rebuild');
INSERT INTO equipment_index (equipment_index) VALUES ('rebuild');

-- An index is told what a row was before it is told what it is: BEFORE triggers still see that.
CREATE TRIGGER properties_indexed AFTER INSERT ON properties BEGIN
    INSERT INTO properties_index (rowid, text, words)
        SELECT number, text, words FROM properties_text WHERE number = new.id;
END;
CREATE TRIGGER properties_unindexed BEFORE DELETE ON properties BEGIN
    INSERT INTO properties_index (properties_index, rowid, text, words)
        SELECT 'delete', number, text, words FROM properties_text WHERE number = old.id;
END;
CREATE TRIGGER properties_reworded BEFORE UPDATE OF searched, place ON properties BEGIN
    INSERT INTO properties_index (properties_index, rowid, text, words)
        SELECT 'delete', number, text, words FROM properties_text WHERE number = old.id;
END;
CREATE TRIGGER properties_reindexed AFTER UPDATE OF searched, place ON properties BEGIN
    INSERT INTO properties_index (rowid, text, words)
        SELECT number, text, words FROM properties_text WHERE number = new.id;
END;
CREATE TRIGGER users_indexed AFTER INSERT ON users BEGIN
    INSERT INTO users_index (rowid, text, words)
        SELECT number, text, words FROM users_text WHERE number = new.number;
END;
CREATE TRIGGER users_unindexed BEFORE DELETE ON users BEGIN
    INSERT INTO users_index (users_index, rowid, text, words)
        SELECT 'delete', number, text, words FROM users_text WHERE number = old.number;
END;
CREATE TRIGGER users_reworded BEFORE UPDATE OF searched ON users BEGIN
    INSERT INTO users_index (users_index, rowid, text, words)
        SELECT 'delete', number, text, words FROM users_text WHERE number = old.number;
END;
CREATE TRIGGER users_reindexed AFTER UPDATE OF searched ON users BEGIN
    INSERT INTO users_index (rowid, text, words)
        SELECT number, text, words FROM users_text WHERE number = new.number;
END;
CREATE TRIGGER equipment_indexed AFTER INSERT ON equipment BEGIN
    INSERT INTO equipment_index (rowid, text, words)
        SELECT number, text, words FROM equipment_text WHERE number = new.id;
END;
CREATE TRIGGER equipment_unindexed BEFORE DELETE ON equipment BEGIN
    INSERT INTO equipment_index (equipment_index, rowid, text, words)
        SELECT 'delete', number, text, words FROM equipment_text WHERE number = old.id;
END;
