"""Where objects are kept: SQLite, with resourceVersions and watches."""
