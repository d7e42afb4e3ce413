"""How one step's weights follow from those of the step before; pure functions."""
