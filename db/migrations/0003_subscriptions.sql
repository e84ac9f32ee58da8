-- When a client last used what it had subscribed to, so that those who never return are forgotten.
ALTER TABLE subscriptions ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
UPDATE subscriptions SET used = CAST(strftime('%s', 'now') AS INTEGER) * 1000;
