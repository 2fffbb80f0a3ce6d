"""Actions, one file each; reached through the one door only."""
