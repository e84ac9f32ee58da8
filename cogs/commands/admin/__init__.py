"""Commands for those who run the bot and its channels."""
