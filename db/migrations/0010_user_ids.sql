-- Ids of users are compared in one form, that of stored_id() in db/user_ids.py. Of two rows of one user
-- the one with a name stays.
DELETE FROM users WHERE number NOT IN (
    SELECT first_value(number) OVER (PARTITION BY stored_id(id) ORDER BY full_name = id, number)
    FROM users
);
DELETE FROM user_search WHERE rowid NOT IN (SELECT number FROM users);
UPDATE users SET id = stored_id(id), full_name = iif(full_name = id, stored_id(id), full_name)
    WHERE id <> stored_id(id);

UPDATE OR REPLACE allowed_users SET user_id = stored_id(user_id)
    WHERE user_id <> stored_id(user_id);
DELETE FROM links WHERE member_id NOT IN (
    SELECT first_value(member_id) OVER (
        PARTITION BY stored_id(user_id) ORDER BY linked_at DESC, member_id
    )
    FROM links
);
UPDATE links SET user_id = stored_id(user_id) WHERE user_id <> stored_id(user_id);
UPDATE properties SET owner = stored_id(owner) WHERE owner <> stored_id(owner);
UPDATE removals SET requested_by = stored_id(requested_by)
    WHERE requested_by <> stored_id(coalesce(requested_by, ''));
UPDATE alerts SET user_id = stored_id(user_id) WHERE user_id <> stored_id(user_id);
UPDATE visits SET user_id = stored_id(user_id) WHERE user_id <> stored_id(user_id);
UPDATE auth_entries SET user_id = stored_id(user_id) WHERE user_id <> stored_id(user_id);
UPDATE crimes SET client_id = stored_id(client_id)
    WHERE client_id <> stored_id(coalesce(client_id, ''));
UPDATE alarms SET raised_by = stored_id(raised_by), last_by = stored_id(last_by)
    WHERE raised_by <> stored_id(raised_by) OR last_by <> stored_id(last_by);

-- A client is the name of its token, a stroke, and the id that it gave itself.
UPDATE OR REPLACE subscriptions
    SET client = substr(client, 1, instr(client, '/'))
        || stored_id(substr(client, instr(client, '/') + 1))
    WHERE stored_id(substr(client, instr(client, '/') + 1))
        <> substr(client, instr(client, '/') + 1);

-- The CAD's pushes come to a subscription to everything only if it asks for them; those that were
-- made before this was so did.
INSERT INTO subscriptions (client, event, used)
    SELECT client, 'all+cad', used FROM subscriptions WHERE event = 'all';
