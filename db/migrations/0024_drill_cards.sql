-- Cards of /test: that nothing happened, by whom, and whether it is over.
CREATE TABLE drill_cards (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    begun_by TEXT NOT NULL,
    is_over INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX drill_cards_open ON drill_cards (begun_at) WHERE NOT is_over;
