"""The bot's hands: reading tools for perception, acting tools behind the one door."""
