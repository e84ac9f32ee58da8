"""Runs the sample bot against a fake in another process: REST, gateway, token, guild id."""

import sys

from tests.fake_discord import FakeDiscord, point_discord_py

from .sample_bot import SampleBot


def main() -> None:
    """Run until killed."""
    rest_url, gateway_url, token, guild_id = sys.argv[1:]
    point_discord_py(rest_url, gateway_url)
    guild = FakeDiscord().add_guild()
    guild.id = int(guild_id)
    SampleBot(guild).run(token, log_handler=None)


if __name__ == "__main__":
    main()
