"""Numbers that other packages computed, against ours."""
