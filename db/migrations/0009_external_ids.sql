-- The id by which a script in the game knows a property: two scripts may count alike. A property
-- that was removed gives its id up.
ALTER TABLE properties ADD COLUMN external_source TEXT;
ALTER TABLE properties ADD COLUMN external_id TEXT;
CREATE UNIQUE INDEX properties_by_external ON properties (external_source, external_id)
    WHERE removed_at IS NULL;
CREATE INDEX properties_removed_by_external ON properties (external_source, external_id)
    WHERE removed_at IS NOT NULL AND external_id IS NOT NULL;

-- Why somebody was refused at an entrance, and by what they identified themselves: a badge, a key.
ALTER TABLE auth_entries ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE auth_entries ADD COLUMN method TEXT NOT NULL DEFAULT '';

-- A visit that a script saw without a camera has none.
ALTER TABLE visits RENAME TO visits_before;
CREATE TABLE visits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    property_id INTEGER NOT NULL REFERENCES properties (id) ON DELETE CASCADE,
    camera_id INTEGER REFERENCES equipment (id) ON DELETE CASCADE,
    user_id TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
INSERT INTO visits (id, property_id, camera_id, user_id, at)
    SELECT id, property_id, camera_id, user_id, at FROM visits_before;
DROP TABLE visits_before;
CREATE INDEX visits_by_property ON visits (property_id, at, user_id);
CREATE INDEX visits_by_camera ON visits (property_id, camera_id, at);
