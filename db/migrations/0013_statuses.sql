-- Statuses are stored as they were written, and compared without case.
DROP INDEX properties_by_status;
CREATE INDEX properties_by_status ON properties (upper(status), id) WHERE removed_at IS NULL;
