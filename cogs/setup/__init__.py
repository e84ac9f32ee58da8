"""`/setup`: channels, roles and the CAD, chosen in Discord."""
