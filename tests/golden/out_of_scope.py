"""Classes without a counterpart yet, and what they wait for."""

LATER = {
    "relative positions": [],
    "rotary and other position schemes": [],
    "attention-free transformers": [
        "external_attention_pytorch.AFT_FULL",
        "fast_transformers.AFTFullAttention",
        "fast_transformers.AFTSimpleAttention",
    ],
    "linear and gated recurrences": [
        "fast_transformers.CausalLinearAttention",
        "fast_transformers.LinearAttention",
        "fla.*",
        "hf.MiniMaxLightningAttention",
        "hf.gated_delta_rule",
        "linear_attention_transformer.*",
    ],
    "sparse, local and hashed attention for long inputs": [
        "hf.ReformerLSHSelfAttention",
    ],
    "low-rank and random-feature attention": [
        "hf.NystromformerSelfAttention",
        "linformer.LinformerSelfAttention",
        "nystrom_attention.NystromAttention",
        "performer_pytorch.FastAttention",
    ],
    "attention over time series": [
        "hf.InformerProbSparseAttention",
        "informer2020.ProbAttention",
    ],
    "windows of images and deformable sampling": [],
    "transformer blocks": [],
    "attention inside TensorFlow Addons' cell wrapper": ["tfa.AttentionWrapper"],
}
NOT_TAKEN_OVER = {}
OUT_OF_SCOPE = {
    name: f"later mechanism: {mechanism}"
    for mechanism, names in LATER.items()
    for name in names
} | {
    name: f"published defect, not taken over: {why}"
    for name, why in NOT_TAKEN_OVER.items()
}
