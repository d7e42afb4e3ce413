"""Models with our layers outside Keras: ONNX and SavedModel files."""
