"""Pure functions from the domain's data to Block Kit, in the words of the project's voice."""
