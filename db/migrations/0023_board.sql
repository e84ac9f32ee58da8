-- The board has a channel of its own, which is the channel units until another is chosen.
UPDATE cards SET channel = 'board' WHERE subject = 'board:units';
