-- Times are milliseconds since 1970 in UTC. What a player removed keeps its row with removed_at set:
-- cards still show it, and it can be restored. searched: names, texts and id, folded by db/search.py.

CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Everything that happened, in order. subjects: a JSON list of what the event is about
-- ("flight:12"); published: 0 for pushes of a type that nobody handles,
-- 2 for what only Discord is told.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    subjects TEXT NOT NULL DEFAULT '[]',
    data TEXT NOT NULL,
    published INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE INDEX journal_by_age ON journal (at);

-- What a client had subscribed to, for the session that it resumes.
CREATE TABLE subscriptions (
    client TEXT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (client, event)
) STRICT, WITHOUT ROWID;

-- One Discord message per subject; stale while shown < version. posting counts the messages that
-- the card has had, as a message deleted by hand is posted afresh. channel: a name of the channel
-- map, or the id of a channel that a rule chose; mention: the role that is called when it is posted.
CREATE TABLE cards (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    mention INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL DEFAULT 1,
    shown INTEGER NOT NULL DEFAULT 0,
    posting INTEGER NOT NULL DEFAULT 1,
    channel_id INTEGER,
    message_id INTEGER,
    digest TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX cards_stale ON cards (channel, id) WHERE shown < version;

-- Journal entries that a feed has still to show; channel and mention as those of cards. batch: the
-- message that they were put into; summed: it only counts them, as they had grown old.
CREATE TABLE feed_entries (
    journal_id INTEGER PRIMARY KEY REFERENCES journal (id) ON DELETE CASCADE,
    channel TEXT NOT NULL,
    mention INTEGER NOT NULL DEFAULT 0,
    batch INTEGER,
    summed INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX feed_entries_by_channel ON feed_entries (channel, journal_id);
CREATE INDEX feed_entries_by_batch ON feed_entries (batch, journal_id) WHERE batch IS NOT NULL;

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    full_name TEXT NOT NULL,
    searched TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Tiers and equipment types come from the configuration; retired ones stay for what still has them.
CREATE TABLE tiers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    price TEXT NOT NULL,
    retired INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE equipment_types (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    retired INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE properties (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    location TEXT NOT NULL,
    tier INTEGER NOT NULL REFERENCES tiers (id),
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    status TEXT NOT NULL,
    -- who set the status last; NULL until somebody did
    status_by TEXT,
    description TEXT NOT NULL,
    owner TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    removed_at INTEGER,
    searched TEXT NOT NULL,
    -- the words of the location, as db/search.py folds them, with blanks between
    place TEXT NOT NULL
) STRICT;

CREATE INDEX properties_by_status ON properties (status, id) WHERE removed_at IS NULL;
CREATE INDEX properties_by_owner ON properties (owner, id) WHERE removed_at IS NULL;
CREATE INDEX properties_by_point ON properties (x, y, width, height) WHERE removed_at IS NULL;
CREATE INDEX properties_by_width ON properties (width) WHERE removed_at IS NULL;
CREATE INDEX properties_by_place ON properties (place) WHERE removed_at IS NULL;

-- The words of a property's location and description that may be postal codes: those with a digit.
CREATE TABLE property_codes (
    code TEXT NOT NULL,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    in_location INTEGER NOT NULL,
    PRIMARY KEY (code, property_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE equipment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    type INTEGER NOT NULL REFERENCES equipment_types (id),
    description TEXT NOT NULL,
    added_at INTEGER NOT NULL,
    removed_at INTEGER,
    searched TEXT NOT NULL
) STRICT;

CREATE INDEX equipment_by_property ON equipment (property_id, type, id) WHERE removed_at IS NULL;

CREATE TABLE flights (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    drone_id INTEGER NOT NULL REFERENCES equipment (id) ON DELETE CASCADE,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    dispatched_at INTEGER NOT NULL,
    dispatched_by TEXT NOT NULL,
    recalled_at INTEGER,
    recalled_by TEXT
) STRICT;

-- A drone has one open flight: the race of two dispatchers is settled here.
CREATE UNIQUE INDEX flights_open ON flights (drone_id) WHERE recalled_at IS NULL;
CREATE INDEX flights_by_property ON flights (property_id, id);

CREATE TABLE removals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    requested_at INTEGER NOT NULL,
    requested_by TEXT,
    reason TEXT,
    previous_status TEXT NOT NULL,
    outcome TEXT CHECK (outcome IN ('approved', 'denied', 'withdrawn')),
    settled_at INTEGER,
    settled_by TEXT,
    answer TEXT
) STRICT;

CREATE UNIQUE INDEX removals_open ON removals (property_id) WHERE outcome IS NULL;

CREATE TABLE allowed_users (
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    PRIMARY KEY (property_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX alerts_by_property ON alerts (property_id, id);

CREATE TABLE visits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    camera_id INTEGER NOT NULL REFERENCES equipment (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX visits_by_property ON visits (property_id, at);

CREATE TABLE crimes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER REFERENCES properties (id) ON DELETE CASCADE,
    client_id TEXT,
    description TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX crimes_by_time ON crimes (at);

CREATE TABLE auth_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    allowed INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX auth_entries_by_property ON auth_entries (property_id, id);

-- The CAD's state as its pushes tell it. cad: the name of the key that the push came with, as
-- several CAD servers count their calls alike.
CREATE TABLE emergency_calls (
    cad TEXT NOT NULL,
    call_id INTEGER NOT NULL,
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
    -- the number of the unit whose panic button it tells of, folded; NULL if it tells of none
    pressed_by TEXT,
    -- the crime that it was counted as
    crime_id INTEGER REFERENCES crimes (id) ON DELETE SET NULL,
    touched_at INTEGER NOT NULL,
    PRIMARY KEY (cad, call_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX emergency_calls_open ON emergency_calls (received_at)
    WHERE seen AND removed_at IS NULL AND dispatch_call_id IS NULL AND panic_id IS NULL;
CREATE INDEX emergency_calls_by_age ON emergency_calls (touched_at);
CREATE INDEX emergency_calls_of_panics ON emergency_calls (panic_id) WHERE panic_id IS NOT NULL;
CREATE INDEX emergency_calls_pressed ON emergency_calls (cad, received_at)
    WHERE pressed_by IS NOT NULL;

CREATE TABLE dispatch_calls (
    cad TEXT NOT NULL,
    call_id INTEGER NOT NULL,
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
    -- what edits told, by name with blanks between: there an edit outranks the first report of a
    -- call, whichever arrives first
    edited TEXT NOT NULL DEFAULT '',
    closed_at INTEGER,
    property_id INTEGER REFERENCES properties (id) ON DELETE SET NULL,
    x REAL,
    y REAL,
    touched_at INTEGER NOT NULL,
    PRIMARY KEY (cad, call_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX dispatch_calls_open ON dispatch_calls (received_at) WHERE closed_at IS NULL;
CREATE INDEX dispatch_calls_by_age ON dispatch_calls (touched_at);
CREATE INDEX dispatch_calls_of_emergencies ON dispatch_calls (cad, emergency_call_id)
    WHERE emergency_call_id IS NOT NULL;

-- attached: 1 on the call, 0 detached. An explicit attach or detach outranks the lists that ride
-- along with a call.
CREATE TABLE dispatch_units (
    cad TEXT NOT NULL,
    call_id INTEGER NOT NULL,
    ident INTEGER NOT NULL,
    attached INTEGER NOT NULL,
    explicit INTEGER NOT NULL,
    PRIMARY KEY (cad, call_id, ident)
) STRICT, WITHOUT ROWID;

CREATE TABLE dispatch_notes (
    id INTEGER PRIMARY KEY,
    cad TEXT NOT NULL,
    call_id INTEGER NOT NULL,
    time TEXT NOT NULL,
    label TEXT NOT NULL,
    content TEXT NOT NULL,
    UNIQUE (cad, call_id, time, label, content)
) STRICT;

-- Units as their log-ins and updates told them; they name the units of calls and panics.
CREATE TABLE units (
    cad TEXT NOT NULL,
    ident INTEGER NOT NULL,
    unit_num TEXT NOT NULL DEFAULT '',
    name TEXT NOT NULL DEFAULT '',
    department TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT '',
    status_code INTEGER,
    group_name TEXT NOT NULL DEFAULT '',
    location TEXT NOT NULL DEFAULT '',
    is_dispatch INTEGER NOT NULL DEFAULT 0,
    is_panic INTEGER NOT NULL DEFAULT 0,
    on_duty INTEGER NOT NULL DEFAULT 1,
    updated_at INTEGER NOT NULL,
    searched TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (cad, ident)
) STRICT, WITHOUT ROWID;

CREATE INDEX units_on_duty ON units (cad, department, unit_num) WHERE on_duty;

CREATE TABLE panics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cad TEXT NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;

CREATE INDEX panics_by_age ON panics (started_at);

CREATE TABLE panic_units (
    panic_id INTEGER NOT NULL REFERENCES panics (id) ON DELETE CASCADE,
    cad TEXT NOT NULL,
    ident INTEGER NOT NULL,
    cleared_at INTEGER,
    PRIMARY KEY (panic_id, ident)
) STRICT, WITHOUT ROWID;

-- A unit is in one panic at a time; pressing again adds nothing.
CREATE UNIQUE INDEX panic_units_open ON panic_units (cad, ident) WHERE cleared_at IS NULL;

-- Pages, station alerts and callouts, each with a card of its own. data: the event's, as JSON.
-- key: a callout's own id, blank where there is none.
CREATE TABLE notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    cad TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('pager', 'station', 'callout')),
    key TEXT NOT NULL,
    data TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- A callout told again is the same callout.
CREATE UNIQUE INDEX notices_by_key ON notices (cad, kind, key) WHERE key <> '';
CREATE INDEX notices_by_age ON notices (at);

-- Which pushes came just now, by what they say, and over which transports (with blanks between): the
-- CAD's own copy of a push and the one that the game server passes on are one event.
CREATE TABLE fingerprints (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    transports TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX fingerprints_by_digest ON fingerprints (digest, at);
CREATE INDEX fingerprints_by_age ON fingerprints (at);
