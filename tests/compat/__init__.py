"""The old packages' layers under their old names."""
