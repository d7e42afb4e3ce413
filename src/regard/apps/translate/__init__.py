"""Translation of sentence pairs by a model whose attention can be seen."""
