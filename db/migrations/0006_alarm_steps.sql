-- What a step of an alarm says in a number: when its snooze ends (milliseconds since 1970), which
-- drone was sent out, which stage was called. Until now its text held it.

ALTER TABLE alarm_steps ADD COLUMN number INTEGER;

UPDATE alarm_steps SET number = CAST(text AS INTEGER), text = ''
WHERE action IN ('snoozed', 'drone', 'called');
