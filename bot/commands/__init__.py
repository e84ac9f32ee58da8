"""The commands of the command line, except `run`."""
