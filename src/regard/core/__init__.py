"""The mathematics of attention: pure functions over keras.ops, no weights."""
