"""What cannot be exported, with the error a user sees; a table and nothing else."""

# (row of the conformance suite, backend or "*"): what the error says.
_LOOP = "cannot be exported from PyTorch"
REFUSED: dict[tuple[str, str], str] = {
    ("decoder_bahdanau", "torch"): _LOOP,
    ("decoder_luong", "torch"): _LOOP,
    ("decoder_input_feeding", "torch"): _LOOP,
}
