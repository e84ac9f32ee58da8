-- What would have to be counted anew for every answer, the longer the more there is: kept by
-- triggers, so that nobody who writes can forget it.

-- How many visits a camera had seen at a property up to each moment at which it saw somebody, that
-- one included. So the visits of any span of time, in whatever zone its days begin, are the
-- difference of two of them. Nothing takes a visit away but the end of its property or camera.
CREATE TABLE visit_totals (
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    camera_id INTEGER NOT NULL REFERENCES equipment (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    visits INTEGER NOT NULL,
    PRIMARY KEY (property_id, camera_id, at)
) STRICT, WITHOUT ROWID;

INSERT INTO visit_totals (property_id, camera_id, at, visits)
    SELECT property_id, camera_id, at,
        sum(count(*)) OVER (PARTITION BY property_id, camera_id ORDER BY at)
    FROM visits GROUP BY property_id, camera_id, at;

-- Who was ever seen at a property, and when last; visit_id: their newest visit.
CREATE TABLE visitors (
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    visit_id INTEGER NOT NULL,
    PRIMARY KEY (property_id, user_id)
) STRICT, WITHOUT ROWID;

INSERT INTO visitors (property_id, user_id, at, visit_id)
    SELECT property_id, user_id, max(at), max(id) FROM visits GROUP BY property_id, user_id;

CREATE INDEX visitors_by_time ON visitors (property_id, at, visit_id);

-- A clock that was set back brings a visit from before others, which then have one more before.
CREATE TRIGGER visits_counted AFTER INSERT ON visits BEGIN
    INSERT INTO visit_totals (property_id, camera_id, at, visits)
        SELECT new.property_id, new.camera_id, new.at, coalesce((
            SELECT visits FROM visit_totals
            WHERE property_id = new.property_id AND camera_id = new.camera_id AND at < new.at
            ORDER BY at DESC LIMIT 1
        ), 0) WHERE TRUE
        ON CONFLICT (property_id, camera_id, at) DO NOTHING;
    UPDATE visit_totals SET visits = visits + 1
        WHERE property_id = new.property_id AND camera_id = new.camera_id AND at >= new.at;
    INSERT INTO visitors (property_id, user_id, at, visit_id)
        VALUES (new.property_id, new.user_id, new.at, new.id)
        ON CONFLICT (property_id, user_id)
            DO UPDATE SET at = max(at, excluded.at), visit_id = max(visit_id, excluded.visit_id);
END;

-- How many alarms there were at a property; property 0: at all of them.
CREATE TABLE alarm_totals (
    property_id INTEGER PRIMARY KEY,
    alarms INTEGER NOT NULL
) STRICT;

INSERT INTO alarm_totals (property_id, alarms)
    SELECT property_id, count(*) FROM alarms GROUP BY property_id
    UNION ALL SELECT 0, count(*) FROM alarms;

CREATE TRIGGER alarms_counted AFTER INSERT ON alarms BEGIN
    INSERT INTO alarm_totals (property_id, alarms) VALUES (0, 1), (new.property_id, 1)
        ON CONFLICT (property_id) DO UPDATE SET alarms = alarms + 1;
END;
CREATE TRIGGER alarms_uncounted AFTER DELETE ON alarms BEGIN
    UPDATE alarm_totals SET alarms = alarms - 1 WHERE property_id IN (0, old.property_id);
END;

-- How many properties have a status; one that none has is not there.
CREATE TABLE property_totals (
    status TEXT PRIMARY KEY,
    properties INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO property_totals (status, properties)
    SELECT status, count(*) FROM properties WHERE removed_at IS NULL GROUP BY status;

CREATE TRIGGER properties_counted AFTER INSERT ON properties WHEN new.removed_at IS NULL BEGIN
    INSERT INTO property_totals (status, properties) VALUES (new.status, 1)
        ON CONFLICT (status) DO UPDATE SET properties = properties + 1;
END;
CREATE TRIGGER properties_uncounted AFTER DELETE ON properties WHEN old.removed_at IS NULL BEGIN
    UPDATE property_totals SET properties = properties - 1 WHERE status = old.status;
    DELETE FROM property_totals WHERE status = old.status AND properties = 0;
END;
CREATE TRIGGER properties_recounted AFTER UPDATE OF status, removed_at ON properties BEGIN
    UPDATE property_totals SET properties = properties - 1
        WHERE status = old.status AND old.removed_at IS NULL;
    INSERT INTO property_totals (status, properties)
        SELECT new.status, 1 WHERE new.removed_at IS NULL
        ON CONFLICT (status) DO UPDATE SET properties = properties + 1;
    DELETE FROM property_totals WHERE status = old.status AND properties = 0;
END;

-- Two line feeds end each text, so that its last letters begin a group too: where one or two
-- letters are found, those groups tell that begin with them.
DROP VIEW properties_text;
CREATE VIEW properties_text AS
    SELECT id AS number, id || char(10) || searched || char(10, 10) AS text,
        '  ' || replace(place, ' ', '  ') AS words FROM properties;
DROP VIEW users_text;
CREATE VIEW users_text AS
    SELECT number, searched || char(10, 10) AS text,
        '  ' || replace(replace(searched, char(10), '  '), ' ', '  ') AS words FROM users;
INSERT INTO properties_index (properties_index) VALUES ('rebuild');
INSERT INTO users_index (users_index) VALUES ('rebuild');
CREATE VIRTUAL TABLE properties_groups USING fts5vocab(properties_index, row);
CREATE VIRTUAL TABLE users_groups USING fts5vocab(users_index, row);

-- What went with a property, for its return.
CREATE INDEX equipment_removed ON equipment (property_id, removed_at) WHERE removed_at IS NOT NULL;

-- They are forgotten in the order of their ids, which is that of their times.
DROP INDEX fingerprints_by_age;
