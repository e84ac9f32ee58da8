"""The in-game resource in a stand-in for FXServer, without a game. See fxserver.py."""
