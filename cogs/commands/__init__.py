"""The slash commands, one group a file, with the buttons on the cards of the same things."""
