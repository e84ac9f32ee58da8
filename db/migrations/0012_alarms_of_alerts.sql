-- Which alarm an alert raised or repeated; NULL for alerts from before there were alarms.
ALTER TABLE alerts ADD COLUMN alarm_id INTEGER;
UPDATE alerts SET alarm_id = (
    SELECT id FROM alarms
    WHERE alarms.property_id = alerts.property_id AND raised_at <= alerts.at
    ORDER BY id DESC LIMIT 1
);
