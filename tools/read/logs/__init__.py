"""Log lines as templates with counts."""
