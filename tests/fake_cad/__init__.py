"""A CAD of our own: the part of Sonoran's API v2 that the bot uses, as its documents have it."""

from tests.fake_cad.server import FakeCad

__all__ = ["FakeCad"]
