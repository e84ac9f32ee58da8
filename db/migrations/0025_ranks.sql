-- The rank of a unit, as the CAD has it: the card of a panic shows it.
ALTER TABLE units ADD COLUMN rank TEXT NOT NULL DEFAULT '';
