"""The ids that mean no text: the same in every vocabulary of the applications."""

PAD, BOS, EOS, UNK = 0, 1, 2, 3
SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")
