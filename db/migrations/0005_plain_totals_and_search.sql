-- Totals are counted when somebody asks for them: no table needs to keep them.
DROP TRIGGER visits_counted;
DROP TRIGGER alarms_counted;
DROP TRIGGER alarms_uncounted;
DROP TRIGGER properties_counted;
DROP TRIGGER properties_uncounted;
DROP TRIGGER properties_recounted;
DROP TABLE visit_totals;
DROP TABLE visitors;
DROP TABLE alarm_totals;
DROP TABLE property_totals;

-- All that is asked about visits is in their indexes.
DROP INDEX visits_by_property;
CREATE INDEX visits_by_property ON visits (property_id, at, user_id);
CREATE INDEX visits_by_camera ON visits (property_id, camera_id, at);

DROP TRIGGER properties_indexed;
DROP TRIGGER properties_unindexed;
DROP TRIGGER properties_reworded;
DROP TRIGGER properties_reindexed;
DROP TRIGGER users_indexed;
DROP TRIGGER users_unindexed;
DROP TRIGGER users_reworded;
DROP TRIGGER users_reindexed;
DROP TRIGGER equipment_indexed;
DROP TRIGGER equipment_unindexed;
DROP TABLE properties_groups;
DROP TABLE users_groups;
DROP TABLE properties_index;
DROP TABLE users_index;
DROP TABLE equipment_index;
DROP VIEW properties_text;
DROP VIEW users_text;
DROP VIEW equipment_text;

-- What is searched, by all groups of three characters; indexed() is a function of db/search.py.
CREATE VIRTUAL TABLE property_search USING fts5(text, tokenize = 'trigram');
CREATE VIRTUAL TABLE user_search USING fts5(text, tokenize = 'trigram');
INSERT INTO property_search (rowid, text)
    SELECT id, indexed(id || char(10) || searched || char(10) || ' ' || place || ' ' || char(10)
        || ' ' || coalesce(codes, '') || ' ')
    FROM properties LEFT JOIN (
        SELECT property_id, group_concat(code, ' ') AS codes FROM property_codes
        WHERE NOT in_location GROUP BY property_id
    ) ON property_id = id;
INSERT INTO user_search (rowid, text)
    SELECT number, indexed(searched || char(10) || ' ' || replace(searched, char(10), ' '))
    FROM users;
DROP TABLE property_codes;

-- The equipment of a type, of which few have so much that each piece cannot be compared.
CREATE INDEX equipment_by_type ON equipment (type, id, searched) WHERE removed_at IS NULL;
