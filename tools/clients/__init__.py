"""One module per vendor client; vendor errors, types and threads stop here."""
