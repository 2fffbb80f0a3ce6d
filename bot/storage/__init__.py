"""SQL: the tables, and repositories that implement the domain's ports."""
