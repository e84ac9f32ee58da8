-- What Discord rejected for good, when and why: kept until somebody has it posted again.

ALTER TABLE cards ADD COLUMN rejected_at INTEGER;
ALTER TABLE cards ADD COLUMN rejection TEXT NOT NULL DEFAULT '';
ALTER TABLE feed_entries ADD COLUMN rejected_at INTEGER;
ALTER TABLE feed_entries ADD COLUMN rejection TEXT NOT NULL DEFAULT '';

CREATE INDEX cards_rejected ON cards (rejected_at) WHERE rejected_at IS NOT NULL;
CREATE INDEX feed_entries_rejected ON feed_entries (rejected_at) WHERE rejected_at IS NOT NULL;
