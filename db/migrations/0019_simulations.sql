-- Drills of `cad-sentinel simulate` whose traces are still there. id: when it began, in milliseconds
-- since 1970; all that it invents is named by it (db/simulations.py). pings: 1 if it may mention
-- people. Row 0 stands for the drills of earlier versions, which had no number.
CREATE TABLE simulations (
    id INTEGER PRIMARY KEY,
    pings INTEGER NOT NULL
) STRICT;

INSERT INTO simulations (id, pings)
SELECT 0, 0 WHERE EXISTS (
    SELECT 1 FROM users
    WHERE id IN ('simulation:vivian-castellane', 'simulation:tomas-okafor', 'simulation:rex-dillard')
);
