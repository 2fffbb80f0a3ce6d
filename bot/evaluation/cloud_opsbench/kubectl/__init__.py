"""The text that kubectl prints, parsed back into the API's own JSON."""
