-- Fills schema 3. Parameters: :users, :properties, :visits, :alerts (numbers), :today, :day, :span
-- (milliseconds), :states (JSON: properties by state). `series (n)` counts from 0 to :visits.

INSERT INTO tiers (id, name, price) VALUES (1, 'Tier 1', '59.99'), (2, 'Tier 2', '79.99'),
    (3, 'Tier 3', '99.99');
INSERT INTO equipment_types (id, name) VALUES (1, 'Camera'), (2, 'Badge reader'), (3, 'Drone');

INSERT INTO users (id, full_name, searched)
    SELECT id, name, lower(name) || char(10) || id FROM (
        SELECT printf('license:%040x', n) AS id, word('given', n) || ' '
            || word('family', n * 7 + n / 30) AS name
        FROM series WHERE n < :users);

CREATE TEMP TABLE addresses AS
    SELECT n + 1 AS id, 1000 + n * 7 % 900 * 10 AS postal, 1 + n * 13 % 3000 AS number,
        word('first', n) || word('second', n * 3 + n / 50) || ' '
            || word('kind', n / 7) AS street,
        word('building', n) || ' with ' || word('thing', n / 12) AS description
    FROM series WHERE n < :properties;

INSERT INTO properties (id, location, tier, x, y, width, height, status, description, owner,
        added_at, removed_at, searched, place)
    SELECT id, location, id % 3 + 1, id * 7919 % 8500 - 4000, id * 6007 % 12000 - 4000,
        5 + id % 35, 5 + id * 3 % 35,
        CASE
            WHEN id IN (SELECT value FROM json_each(:states, '$.pending')) THEN 'PENDING'
            WHEN id IN (SELECT value FROM json_each(:states, '$.requested')) THEN 'REMOVED'
            WHEN id % 20 = 17 THEN 'REJECTED' WHEN id % 20 = 18 THEN 'FORECLOSED'
            WHEN id % 20 = 19 THEN 'FOR SALE' ELSE 'ACTIVE' END,
        description, printf('license:%040x', (id - 1) / 2 % :users), :today - :span,
        iif(id % 100 = 99, :today - :span, NULL), lower(location || char(10) || description),
        lower(postal || ' ' || number || ' ' || street)
    FROM (SELECT *, '[' || postal || '] ' || number || ' ' || street AS location FROM addresses);

INSERT INTO property_codes (code, property_id, in_location)
    SELECT postal, id, 1 FROM addresses UNION SELECT number, id, 1 FROM addresses;

INSERT INTO equipment (id, property_id, type, description, added_at, removed_at, searched)
    SELECT id, property_id, type, name, :today - :span,
        iif(property_id % 100 = 99, :today - :span, NULL), lower(name)
    FROM (
        SELECT n * 4 AS id, n AS property_id, 1 AS type, word('first', n) || ' gate' AS name
            FROM series WHERE n BETWEEN 1 AND :properties
        UNION ALL
        SELECT n * 4 + drone, n, 3, word('given', n + drone) || ' drone'
            FROM series, (SELECT 2 AS drone UNION SELECT 3)
            WHERE n BETWEEN 1 AND :properties AND n % 4 = 0);

-- Happenings in the order of time, one of a hundred at the busy property, from few people.
CREATE TEMP VIEW happenings AS
    SELECT n, iif(n % 100, n * 7919, NULL) AS at_property, iif(n % 100, n * 7919, n / 100 % 50) AS user
    FROM series;

INSERT INTO visits (property_id, camera_id, user_id, at)
    SELECT home, home * 4, printf('license:%040x', user % :users), :today - :span + n * :span / :visits
    FROM (SELECT *, coalesce(at_property % :properties + 1, 8) AS home FROM happenings
        WHERE n < :visits);
INSERT INTO alerts (property_id, user_id, at)
    SELECT coalesce(at_property % :properties + 1, 8), printf('license:%040x', user % :users),
        :today - :span + n * :span / :alerts
    FROM happenings WHERE n < :alerts;
INSERT INTO alarms (property_id, raised_at, raised_by, last_at, last_by, touched_at, waiting_since,
        outcome, settled_at, settled_by)
    SELECT property_id, at, user_id, at, user_id, at, at, 'resolved', at + 60000, 'dispatcher'
    FROM alerts;
INSERT INTO auth_entries (property_id, user_id, allowed, at)
    SELECT at_property % :properties + 1, printf('license:%040x', user % :users), 1,
        :today - :span + n * :span / (3 * :properties)
    FROM happenings WHERE n < 3 * :properties AND at_property IS NOT NULL;
INSERT INTO allowed_users (property_id, user_id)
    SELECT n, printf('license:%040x', (n * 7 + beside) % :users)
    FROM series, (SELECT 0 AS beside UNION SELECT 1) WHERE n BETWEEN 1 AND :properties;

-- Old crimes grow with the community; those of the last 31 days, which can be asked for, do not.
INSERT INTO crimes (property_id, client_id, description, at)
    SELECT n * 7 % :properties + 1, printf('license:%040x', n % :users), '',
        :today - :span + n * (:span - 32 * :day) / (:properties / 10)
    FROM series WHERE n < :properties / 10;
INSERT INTO crimes (property_id, client_id, description, at)
    SELECT iif(n % 3, n * (:properties / 301) + 1, NULL), printf('license:%040x', n % :users),
        'A robbery', :today - n * 31 * :day / 300
    FROM series WHERE n < 300;

INSERT INTO removals (property_id, requested_at, reason, previous_status, outcome, settled_at,
        settled_by)
    SELECT n, :today - :span + n * :span / (:properties + 1), 'Moving away', 'ACTIVE', 'denied',
        :today - :span + n * :span / (:properties + 1) + :day, 'approver'
    FROM series WHERE n BETWEEN 20 AND :properties AND n % 20 = 0;
INSERT INTO removals (property_id, requested_at, reason, previous_status)
    SELECT value, :today - :day, 'Moving away', 'ACTIVE' FROM json_each(:states, '$.requested');

INSERT INTO flights (drone_id, property_id, dispatched_at, dispatched_by, recalled_at, recalled_by)
    SELECT home * 4 + 2 + n / (:properties / 4), home, :today - :span + n * :span / (:properties / 2),
        'dispatcher', :today - :span + n * :span / (:properties / 2) + 600000, 'dispatcher'
    FROM (SELECT n, (n * 7919 % (:properties / 4) + 1) * 4 AS home FROM series
        WHERE n < :properties / 4 * 2);
INSERT INTO flights (drone_id, property_id, dispatched_at, dispatched_by)
    SELECT value * 4 + 2, value, :today - :day, 'dispatcher' FROM json_each(:states, '$.flying');

INSERT INTO links (member_id, user_id, linked_at, linked_by)
    SELECT n + 1, printf('license:%040x', n), :today, 'admin' FROM series
    WHERE n < :users AND n % 10 = 0;
INSERT INTO link_codes (code, member_id, expires_at)
    SELECT printf('C%05d', n), 200000000000000000 + n, :today + 365 * :day FROM series WHERE n < 5000;
