"""The SQL of the engagement service, by what it keeps. Everything works on the caller's
transaction; nothing here commits."""
