"""What the bot asks of Sonoran CAD: the client of its API v2, and the outbox."""
