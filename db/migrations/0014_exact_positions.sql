-- Where a property is exactly, as a JSON object {x, y, z}; x and y have the nearest whole metres.
ALTER TABLE properties ADD COLUMN position TEXT;
