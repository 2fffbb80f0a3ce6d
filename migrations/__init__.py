"""The database's history, one dated file a step."""
