"""The ways in which the shop breaks (or seems to), one file each."""
