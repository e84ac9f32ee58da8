"""The CAD's events: their models, and how a push is read into one."""
