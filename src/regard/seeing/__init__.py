"""Looking at attention: capture, words for a map, alignments."""
