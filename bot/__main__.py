"""`python -m bot` is the same as `cad-sentinel`."""

from bot.cli import main

main()
