"""What a model attends to: capture, steps, diagnostics."""
