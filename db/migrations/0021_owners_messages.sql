-- The private message about an alarm is one for each owner: a property can change hands meanwhile.
UPDATE cards SET subject = subject || '@' || substr(channel, length('direct:') + 1)
WHERE subject >= 'alarm-owner:' AND subject < 'alarm-owner;';
