"""The one table of what does not simply match, by class, each with its reason.

A row with ``correct`` is a published defect: our layer is compared with the corrected
expectation and, where it has ``faithful=True``, with the package's numbers as well. A
row without is out of scope. The first row that applies counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.golden import (
    corrections,
    heads_corrections,
    long_corrections,
    low_rank,
    monotonic_corrections,
    pooling_corrections,
    unordered,
)
from tests.golden.adapters.x_transformers_options import refusal
from tests.golden.cases import Arrays, Case


def always(case: Case) -> bool:
    return True


@dataclass(frozen=True)
class Row:
    """A class, or all that a package has (``package.*``), and when the row applies."""

    name: str
    reason: str
    correct: Callable[[Case], Arrays] | None = None
    when: Callable[[Case], bool] = always

    def applies(self, case: Case) -> bool:
        package = self.name.removesuffix("*")
        wide = self.name.endswith("*") and case.name.startswith(package)
        return (wide or self.name == case.name) and self.when(case)


def some(case: Case, *names: str) -> bool:
    """True where one of these masks hides something."""
    return any(n in case.arrays and not case.arrays[n].all() for n in names)


def even_window(case: Case) -> bool:
    width = case.constructor.get("attention_width")
    return bool(width) and width % 2 == 0 and not case.constructor.get("history_only")


def padded(case: Case) -> bool:
    return some(case, "in.mask")


def empty_example(case: Case) -> bool:
    mask = case.arrays.get("in.mask")
    return mask is not None and bool((~mask.astype(bool)).all(axis=1).any())


def empty_history(case: Case) -> bool:
    """Some query may see no key, by padding alone or with the causal mask."""
    mask = case.arrays.get("in.key_mask", case.arrays.get("in.mask"))
    if mask is None:
        return False
    mask = mask.astype(bool)
    first = mask[:, 0] if case.constructor.get("history_only") else mask.any(axis=1)
    return not bool(first.all())


def hidden_query(case: Case) -> bool:
    """A masked query, or one that may see no key."""
    mask = case.arrays.get("in.v_mask")
    empty = False
    if mask is not None:
        first = mask[:, 0] if case.call.get("use_causal_mask") else mask.any(axis=1)
        empty = not bool(first.all())
    return empty or some(case, "in.q_mask")


def two_paths(case: Case) -> bool:
    return "out.y_without_scores" in case.arrays


def not_a_number(case: Case) -> bool:
    weights = case.arrays.get("out.attention")
    return weights is not None and bool(np.isnan(weights).any())


def hidden_row(case: Case) -> bool:
    """Some query may see no key."""
    keep = case.arrays.get("in.keep")
    return keep is not None and not bool(keep.any(axis=-1).all())


def option(name: str, *values):
    """True where a constructor option has one of these values, or any that is true."""

    def applies(case: Case) -> bool:
        value = case.constructor.get(name)
        return value in values if values else bool(value)

    return applies


def causal_by_another_axis(case: Case) -> bool:
    """Keras counts the first axis, whichever is attended over."""
    first = case.constructor.get("attention_axes") in (1, [1], (1,))
    many = case.arrays["in.q"].ndim > 3
    return many and bool(case.call.get("use_causal_mask")) and not first


SSA = "keras_self_attention"
DEFECTS = [
    Row(
        f"{SSA}.SeqSelfAttention",
        "real queries look at padding there: the mask hides padding from padding only",
        corrections.seq_self_attention,
        padded,
    ),
    Row(
        f"{SSA}.SeqSelfAttention",
        "an even window reaches one step further back than forward there",
        corrections.seq_self_attention,
        even_window,
    ),
    Row(
        f"{SSA}.SeqWeightedAttention",
        "a sequence that is all padding looks at padding there; here it gives zeros",
        corrections.seq_weighted_attention,
        empty_example,
    ),
    *(
        Row(
            f"{SSA}.{kind}",
            "a query without any key looks at hidden ones there; here it gives zeros",
            corrections.ssa_scaled_dot,
            empty_history,
        )
        for kind in ("ScaledDotProductAttention", "ResidualScaledDotProductAttention")
    ),
    *(
        Row(
            f"keras3.{kind}",
            "a masked query, or one without any key, has weights there; here none",
            corrections.keras_attention,
            hidden_query,
        )
        for kind in ("Attention", "AdditiveAttention")
    ),
    Row(
        "hf.LongT5LocalAttention",
        "padded queries read the mean of three blocks there; here nothing",
        long_corrections.long_t5_local,
        long_corrections.padded,
    ),
    Row(
        "hf.DebertaV2DisentangledSelfAttention",
        "a query without any key has uniform weights there; here none",
        corrections.deberta,
        hidden_row,
    ),
    *(
        Row(
            name,
            "a query without any key has uniform weights there; here none",
            heads_corrections.outside_empty_rows,
            heads_corrections.some_query_sees_nothing,
        )
        for name in (
            "keras3.GroupQueryAttention",
            "keras_multi_head.MultiHeadAttention",
            "x_transformers.Attention",
            "hf.DeepseekV2Attention",
            "hf.DeepseekV3Attention",
            "hf.DiffLlamaAttention",
            "hf.Gemma2Attention",
            "hf.GptOssAttention",
            "hf.Llama4TextAttention",
            "hf.LlamaAttention",
            "hf.MistralAttention",
            "hf.Qwen3Attention",
            "hf.Qwen3NextAttention",
        )
    ),
    Row(
        "keras3.MultiHeadAttention",
        "asking for weights changes the output of an empty row there; here it is the "
        "bias of the output either way",
        corrections.keras_heads,
        two_paths,
    ),
    *(
        Row(
            name,
            "mass far from the start is lost there in a clipped quotient; here kept",
            monotonic_corrections.expected_alignment,
            monotonic_corrections.underflows,
        )
        for name in (
            "tfa.monotonic_attention",
            "tfa.BahdanauMonotonicAttention",
            "tfa.LuongMonotonicAttention",
            "fairseq.expected_alignment_from_p_choose",
        )
    ),
    *(
        Row(
            name,
            "chunks far below the largest score underflow there; here each has its own",
            monotonic_corrections.soft_attention,
            monotonic_corrections.far_below,
        )
        for name in (
            "fairseq.expected_soft_attention",
            "mocha_pytorch.chunkwise_attention_soft",
        )
    ),
    Row(
        "entmax.entmax_bisect",
        "bisection at alpha = 1 gives uniform rows there; here it is softmax",
        corrections.entmax_at_one,
        lambda case: case.call.get("alpha") == 1.0,
    ),
    Row(
        "external_attention_pytorch.DoubleAttention",
        "both softmaxes run over the batch there; here over pixels and summaries",
        corrections.double_attention,
    ),
    Row(
        "uzaymacar.Attention",
        "normalized over an axis of size 1 there: every weight is 1; here over steps",
        pooling_corrections.uzaymacar,
        lambda case: case.constructor.get("alignment_type") != "local-m",
    ),
    Row(
        "hf.AutoformerAttention",
        "delays of one example are read in another there, in batches of several",
        pooling_corrections.autoformer,
        lambda case: len(case.arrays["in.hidden_states"]) > 1,
    ),
    Row(
        "kattention.*",
        "scores are divided by the width there; here by its root",
        pooling_corrections.kattention,
    ),
    Row(
        "keras_utilities.MeanOverTime",
        "hidden steps are in the sum there; here the mean is that of the real ones",
        pooling_corrections.mean_over_time,
        padded,
    ),
    Row(
        "hf.InformerProbSparseAttention",
        "the rows of weights come in no order there; here the largest measure first",
        unordered.prob_sparse,
    ),
    Row(
        "fast_transformers.AFTFullAttention",
        "keys are multiplied by the bias of places there; here it is added to them",
        low_rank.attention_free,
    ),
    Row(
        "nystrom_attention.NystromAttention",
        "padding asks, and fills landmarks, there: a masked row is uniform; here empty",
        low_rank.nystrom,
        padded,
    ),
    Row(
        "*",
        "a row with nothing to look at is NaN there; here it is zero",
        corrections.without_nan,
        not_a_number,
    ),
]
PARTLY = [
    Row(
        "x_transformers.Attention",
        "an option, or two together, without a counterpart",
        when=lambda case: bool(refusal(case)),
    ),
    Row(
        "keras3.MultiHeadAttention",
        "a causal mask over the first axis, of inputs attended over others",
        when=causal_by_another_axis,
    ),
    Row(
        "uzaymacar.Attention",
        "a window cut out of the source by the decoder's step, then weights of 1",
        when=option("alignment_type", "local-m"),
    ),
]
ROWS = [*PARTLY, *DEFECTS]


def find(case: Case) -> Row | None:
    """The row that applies to a case, if any."""
    return next((row for row in ROWS if row.applies(case)), None)
