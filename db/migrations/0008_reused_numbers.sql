-- The CAD uses the numbers of calls again. occurrence: which call of its number a call is, from 1.

ALTER TABLE emergency_calls RENAME TO emergency_calls_before;
DROP INDEX emergency_calls_open;
DROP INDEX emergency_calls_by_age;
DROP INDEX emergency_calls_of_panics;
DROP INDEX emergency_calls_pressed;
DROP INDEX emergency_calls_at;

CREATE TABLE emergency_calls (
    cad TEXT NOT NULL,
    call_id INTEGER NOT NULL,
    occurrence INTEGER NOT NULL DEFAULT 1,
    is_emergency INTEGER NOT NULL DEFAULT 1,
    caller TEXT NOT NULL DEFAULT '',
    location TEXT NOT NULL DEFAULT '',
    postal TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    received_at INTEGER NOT NULL,
    -- 0 until EVENT_911 itself has come; its removal, or the dispatch call made from it, may be first
    seen INTEGER NOT NULL DEFAULT 0,
    removed_at INTEGER,
    dispatch_call_id INTEGER,
    -- the property whose place it matches
    property_id INTEGER REFERENCES properties (id) ON DELETE SET NULL,
    -- the panic whose own 911 call this is: scripts make one when the button is pressed
    panic_id INTEGER REFERENCES panics (id) ON DELETE SET NULL,
    -- the number of the unit whose panic button it reports, folded; NULL if it reports none
    pressed_by TEXT,
    -- the crime that it was counted as
    crime_id INTEGER REFERENCES crimes (id) ON DELETE SET NULL,
    x REAL,
    y REAL,
    -- the newest of the CAD's own time stamps, in milliseconds since 1970; NULL if it sent none
    updated INTEGER,
    -- the call that already said the same, on whose card this one is counted
    repeats_call_id INTEGER,
    repeats_occurrence INTEGER,
    dispatch_occurrence INTEGER,
    touched_at INTEGER NOT NULL,
    age INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (cad, call_id, occurrence)
) STRICT, WITHOUT ROWID;

INSERT INTO emergency_calls (
    cad, call_id, is_emergency, caller, location, postal, description, received_at, seen,
    removed_at, dispatch_call_id, property_id, panic_id, pressed_by, crime_id,
    dispatch_occurrence, touched_at, age
) SELECT
    cad, call_id, is_emergency, caller, location, postal, description, received_at, seen,
    removed_at, dispatch_call_id, property_id, panic_id, pressed_by, crime_id,
    iif(dispatch_call_id IS NULL, NULL, 1), touched_at, age
FROM emergency_calls_before;

DROP TABLE emergency_calls_before;

CREATE INDEX emergency_calls_open ON emergency_calls (received_at)
    WHERE seen AND removed_at IS NULL AND dispatch_call_id IS NULL AND panic_id IS NULL;
CREATE INDEX emergency_calls_by_age ON emergency_calls (touched_at);
CREATE INDEX emergency_calls_of_panics ON emergency_calls (panic_id) WHERE panic_id IS NOT NULL;
CREATE INDEX emergency_calls_pressed ON emergency_calls (cad, received_at)
    WHERE pressed_by IS NOT NULL;
CREATE INDEX emergency_calls_at ON emergency_calls (property_id) WHERE property_id IS NOT NULL;
CREATE INDEX emergency_calls_dispatched ON emergency_calls (cad, dispatch_call_id)
    WHERE dispatch_call_id IS NOT NULL;
CREATE INDEX emergency_calls_repeated ON emergency_calls (cad, repeats_call_id)
    WHERE repeats_call_id IS NOT NULL;

ALTER TABLE dispatch_calls RENAME TO dispatch_calls_before;
DROP INDEX dispatch_calls_open;
DROP INDEX dispatch_calls_by_age;
DROP INDEX dispatch_calls_of_emergencies;
DROP INDEX dispatch_calls_at;

CREATE TABLE dispatch_calls (
    cad TEXT NOT NULL,
    call_id INTEGER NOT NULL,
    occurrence INTEGER NOT NULL DEFAULT 1,
    title TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'PENDING',
    priority TEXT NOT NULL DEFAULT '',
    block TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    postal TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    primary_unit INTEGER,
    emergency_call_id INTEGER,
    received_at INTEGER NOT NULL,
    -- what edits set, by name with blanks between: there an edit outranks a first report that
    -- arrives late
    edited TEXT NOT NULL DEFAULT '',
    closed_at INTEGER,
    property_id INTEGER REFERENCES properties (id) ON DELETE SET NULL,
    x REAL,
    y REAL,
    -- the CAD's own time stamp of what set each column, as a JSON object of milliseconds since 1970
    stamps TEXT NOT NULL DEFAULT '{}',
    emergency_occurrence INTEGER,
    -- 0 until EVENT_DISPATCH_NEW itself has come
    seen INTEGER NOT NULL DEFAULT 0,
    touched_at INTEGER NOT NULL,
    age INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (cad, call_id, occurrence)
) STRICT, WITHOUT ROWID;

INSERT INTO dispatch_calls (
    cad, call_id, title, code, status, priority, block, address, postal, description, primary_unit,
    emergency_call_id, received_at, edited, closed_at, property_id, x, y,
    emergency_occurrence, seen, touched_at, age
) SELECT
    cad, call_id, title, code, status, priority, block, address, postal, description, primary_unit,
    emergency_call_id, received_at, edited, closed_at, property_id, x, y,
    iif(emergency_call_id IS NULL, NULL, 1), title <> '', touched_at, age
FROM dispatch_calls_before;

DROP TABLE dispatch_calls_before;

CREATE INDEX dispatch_calls_open ON dispatch_calls (received_at) WHERE closed_at IS NULL;
CREATE INDEX dispatch_calls_by_age ON dispatch_calls (touched_at);
CREATE INDEX dispatch_calls_of_emergencies ON dispatch_calls (cad, emergency_call_id)
    WHERE emergency_call_id IS NOT NULL;
CREATE INDEX dispatch_calls_at ON dispatch_calls (property_id) WHERE property_id IS NOT NULL;

-- attached: 1 on the call, 0 detached. For some seconds from `at`, an explicit attach or detach
-- outranks the lists that come with a call; `at` is 0 for what a list said.
ALTER TABLE dispatch_units RENAME TO dispatch_units_before;

CREATE TABLE dispatch_units (
    cad TEXT NOT NULL,
    call_id INTEGER NOT NULL,
    occurrence INTEGER NOT NULL DEFAULT 1,
    ident INTEGER NOT NULL,
    attached INTEGER NOT NULL,
    explicit INTEGER NOT NULL,
    at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (cad, call_id, occurrence, ident)
) STRICT, WITHOUT ROWID;

INSERT INTO dispatch_units (cad, call_id, ident, attached, explicit)
    SELECT cad, call_id, ident, attached, explicit FROM dispatch_units_before;

DROP TABLE dispatch_units_before;

CREATE INDEX dispatch_units_on_call ON dispatch_units (cad, ident) WHERE attached;

-- time: as the CAD wrote it; clock: the same as seconds of the day on the community's clocks, NULL if
-- it is not known; at: when the note came.
ALTER TABLE dispatch_notes RENAME TO dispatch_notes_before;

CREATE TABLE dispatch_notes (
    id INTEGER PRIMARY KEY,
    cad TEXT NOT NULL,
    call_id INTEGER NOT NULL,
    time TEXT NOT NULL,
    label TEXT NOT NULL,
    content TEXT NOT NULL,
    clock INTEGER,
    at INTEGER NOT NULL DEFAULT 0,
    occurrence INTEGER NOT NULL DEFAULT 1
) STRICT;

INSERT INTO dispatch_notes (id, cad, call_id, time, label, content)
    SELECT id, cad, call_id, time, label, content FROM dispatch_notes_before;

DROP TABLE dispatch_notes_before;

CREATE INDEX dispatch_notes_of_call ON dispatch_notes (cad, call_id, occurrence);

-- A callout's key names its kind: it may be announced again and again.
DROP INDEX notices_by_key;
CREATE INDEX notices_by_key ON notices (cad, kind, key, at) WHERE key <> '';

-- What time ended, not a push: a call or panic by its subject, and for how many milliseconds there
-- was no news of it; 0: it ended at a time of day. at: when it ended.
CREATE TABLE stale_ends (
    subject TEXT PRIMARY KEY,
    silence INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When its button was pressed last.
ALTER TABLE panics ADD COLUMN pressed_at INTEGER NOT NULL DEFAULT 0;
UPDATE panics SET pressed_at = started_at;

-- Which pushes came just now. subjects: what they are about; arrivals: when each of the transports
-- brought the push; first_event, events: where it is in the journal.
ALTER TABLE fingerprints ADD COLUMN subjects TEXT NOT NULL DEFAULT '[]';
ALTER TABLE fingerprints ADD COLUMN arrivals TEXT NOT NULL DEFAULT '';
ALTER TABLE fingerprints ADD COLUMN first_event INTEGER NOT NULL DEFAULT 0;
ALTER TABLE fingerprints ADD COLUMN events INTEGER NOT NULL DEFAULT 0;

UPDATE fingerprints SET arrivals = trim(replace(hex(zeroblob(
    1 + length(transports) - length(replace(transports, ' ', ''))
)), '00', at || ' '));

CREATE INDEX fingerprints_by_age ON fingerprints (at);
