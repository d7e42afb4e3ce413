"""Two inputs look at each other."""
