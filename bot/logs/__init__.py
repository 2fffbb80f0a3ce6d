"""Log lines to templates: one pass of masking and counting, then mining. Pure."""
