"""One suite for all mechanisms: `cases` has the rows, `checks` the properties."""
