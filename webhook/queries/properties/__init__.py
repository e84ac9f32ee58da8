"""Properties, and what belongs to one: equipment, drones, access, visits, removal."""
