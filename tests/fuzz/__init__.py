"""Coverage-guided fuzzing: `make fuzz SECONDS=60`. Needs atheris, so pytest collects none of it."""
