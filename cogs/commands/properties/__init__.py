"""Commands about properties and what belongs to one."""
