"""tensorflow-addons: a mechanism around a cell, with input feeding."""

import re

import keras
from keras import ops

from regard.compat import tfa_seq2seq
from tests.golden.tools import Applied, adapts, named

CELL = re.compile(r"(\w+Cell)(?:\((.*=.*)\))?\((\d+)\)")
CELL_NAMES = ("w.cell/kernel", "w.cell/recurrent_kernel", "w.cell/bias")
NAMES = (
    "w.query_layer/kernel",
    "w.memory_layer/kernel",
    "w.attention_v",
    "w.attention_g",
    "w.attention_b",
    "w.scale_weight",
    "w.attention_score_bias",
)


def cell_of(words):
    """'GRUCell(reset_after=True)(7)' -> the cell."""
    name, options, units = CELL.fullmatch(words).groups()
    given = dict(each.split("=") for each in (options or "").split(",") if each)
    choices = {"True": True, "False": False}
    given = {key.strip(): choices.get(v.strip(), v) for key, v in given.items()}
    return getattr(keras.layers, name)(int(units), **given)


def mechanism_of(case):
    """The mechanism by its name."""
    kind = getattr(tfa_seq2seq, case.constructor["mechanism"])
    return kind(**case.constructor.get("mechanism_args", {}))


def mechanism_weights(t, kind):
    """In our order; ours has a bias, here 0, also where the vector is not normed."""
    weights = named(t, *NAMES)
    if kind == "BahdanauMonotonicAttention" and "w.attention_b" not in t:
        weights.insert(3, ops.zeros_like(t["w.attention_v"]))
    return weights


@adapts("tfa.AttentionWrapper")
def attention_wrapper(case):
    """Twice: for the outputs, and for the attention vectors that are fed back."""
    options = case.constructor

    def wrapper(output_attention):
        return Applied(
            tfa_seq2seq.AttentionWrapper(
                cell_of(options["cell"]),
                mechanism_of(case),
                options.get("attention_layer_size"),
                output_attention=output_attention,
            )
        )

    plain = wrapper(options.get("output_attention", True))
    fed = wrapper(True)

    def run(t):
        weights = named(t, *CELL_NAMES)
        weights += mechanism_weights(t, options["mechanism"])
        weights += named(t, "w.attention_layer/kernel")
        given = t["in.inputs"], t["in.memory"]
        lengths = t.get("in.memory_sequence_length")
        outputs, alignments, state = plain(
            weights,
            *given,
            memory_sequence_length=lengths,
            return_alignments=True,
            return_state=True,
        )
        found = {f"out.final_state_{i}": s for i, s in enumerate(state.cell_state)}
        return {
            **found,
            "out.outputs": outputs,
            "out.alignments": alignments,
            "out.attention": fed(weights, *given, memory_sequence_length=lengths),
        }

    return run
