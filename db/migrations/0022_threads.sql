-- thread: of a card's message, or the forum post that it is; wanted, open, archived, or blank for
-- none. news: the version that an event made last, not another card that this one shows.
ALTER TABLE cards ADD COLUMN thread TEXT NOT NULL DEFAULT '';
ALTER TABLE cards ADD COLUMN news INTEGER NOT NULL DEFAULT 1;
