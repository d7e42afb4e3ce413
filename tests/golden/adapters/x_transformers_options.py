"""Which of x-transformers' options a case has, and which have no counterpart."""

from __future__ import annotations

from dataclasses import dataclass

from tests.golden.cases import Case

# Options that are expressed, or that change nothing at inference.
KNOWN = {
    "dim",
    "dim_head",
    "dim_context",
    "heads",
    "causal",
    "flash",
    "pre_talking_heads",
    "post_talking_heads",
    "head_scale",
    "sparse_topk",
    "num_mem_kv",
    "dropout",
    "sublayer_dropout",
    "on_attn",
    "gate_value_heads",
    "gate_values",
    "gate_values_headwise",
    "low_rank_silu_gates",
    "zero_init_output",
    "output_proj_depth",
    "hard",
    "max_attend_past",
    "qk_norm",
    "qk_norm_groups",
    "qk_norm_scale",
    "qk_norm_dim_scale",
    "qk_rmsnorm",
    "sigmoid",
    "one_kv_head",
    "kv_heads",
    "value_dim_head",
    "dim_out",
    "add_zero_kv",
    "head_learned_sink",
    "data_dependent_alibi",
    "data_dependent_alibi_kwargs",
    "use_cope",
    "cope_max_pos",
    "softclamp_logits",
    "logit_softclamp_value",
    "project_out",
    "use_latent_q",
    "dim_latent_q",
    "use_latent_kv",
    "dim_latent_kv",
    "onnxable",
    "attend_sdp_kwargs",
    "gumbel_softmax_temp",
    "gumbel_softmax_hard",
    "laser_softclamp_value",
    "rel_proj_num_distance_basis",
    "rel_proj_max_dist",
    "data_dependent_alibi_per_row_dim_head",
}
# At most one option of each of these rows.
APART = (
    ("pre_talking_heads", "post_talking_heads"),
    ("num_mem_kv", "add_zero_kv"),
    ("head_learned_sink", "sigmoid", "hard", "sparse_topk"),
    ("gate_values", "gate_value_heads"),
)


def refusal(case: Case) -> str:
    """Why a case has no counterpart; empty where it has one."""
    options = {k: v for k, v in case.constructor.items() if v not in (None, False, 0)}
    unknown = sorted(set(options) - KNOWN)
    if unknown:
        return f"{', '.join(unknown)} of x-transformers"
    if options.get("qk_norm_groups", 1) != 1:
        return "norms of parts of a head"
    talks, remembers, *exclusive = (
        [name for name in row if name in options] for row in APART
    )
    if talks and remembers:
        return "talking heads with keys of their own"
    crowded = next((row for row in exclusive if len(row) > 1), None)
    if crowded:
        return f"{' with '.join(crowded)}"
    words = case.call.get("position") or ""
    if "use_xpos" in words or "total_heads" in words or "slopes" in words:
        return f"positions {words}"
    known = ("Alibi", "RotaryEmbedding", "RelativePositionBias", "context")
    return "" if not words or words.startswith(known) else f"positions {words}"


@dataclass(frozen=True)
class Options:
    """A case's options, completed."""

    constructor: dict
    heads: int
    groups: int
    width: int

    @classmethod
    def of(cls, case: Case) -> Options:
        """Completed; raises where there is no counterpart."""
        why = refusal(case)
        if why:
            raise NotImplementedError(why)
        options = dict(case.constructor)
        options.setdefault("dim", case.arrays["in.x"].shape[-1])
        if "causal" in case.call:
            options["causal"] = case.call["causal"]
        heads = options.get("heads", 8)
        groups = 1 if options.get("one_kv_head") else options.get("kv_heads") or heads
        return cls(options, heads, groups, options.get("dim_head", 64))

    def given(self, name: str):
        return self.constructor.get(name)

    @property
    def value_width(self) -> int:
        return self.given("value_dim_head") or self.width

    @property
    def causal(self) -> bool:
        return bool(self.given("causal"))

    @property
    def glu(self) -> bool:
        return bool(self.given("on_attn"))

    @property
    def output_width(self) -> int:
        """Of the projection, twice the output where a gate halves it."""
        dim, joined = self.given("dim"), self.heads * self.value_width
        wide = self.given("dim_out") or dim
        usual = self.heads > 1 or wide != dim or self.glu
        asked = self.given("project_out")
        if not (usual if asked is None else asked):
            return joined
        return 2 * wide if self.glu else wide

    @property
    def memory(self) -> int:
        return self.given("num_mem_kv") or 0

    @property
    def zero(self) -> bool:
        return bool(self.given("add_zero_kv"))

    @property
    def sink(self) -> bool:
        return bool(self.given("head_learned_sink"))

    @property
    def mixes_before(self) -> bool:
        return bool(self.given("pre_talking_heads"))

    @property
    def mixes_after(self) -> bool:
        return bool(self.given("post_talking_heads"))

    @property
    def head_gate(self) -> bool:
        return bool(self.given("gate_value_heads"))

    @property
    def gated(self) -> bool:
        return self.head_gate or bool(self.given("gate_values"))

    @property
    def learned_lengths(self) -> bool:
        return bool(self.given("qk_norm") and self.given("qk_norm_dim_scale"))

    @property
    def sharpness(self) -> float:
        scale = self.given("qk_norm_scale")
        return 10.0 if scale is None else float(scale)

    @property
    def scale(self) -> float | None:
        """None leaves it to the norm."""
        unit = self.given("qk_norm") and not self.learned_lengths
        return None if unit else self.width**-0.5

    @property
    def gate_scale(self) -> float:
        kwargs = self.given("data_dependent_alibi_kwargs") or {}
        return float(kwargs.get("post_log_scale", 1.0))

    @property
    def latent_query(self) -> bool:
        return bool(self.given("use_latent_q"))

    @property
    def latent_memory(self) -> bool:
        return bool(self.given("use_latent_kv"))
