"""What cannot be exported from torch, with the error a user sees; two tables.

TensorFlow's exporter takes them. Nothing here answers wrongly in silence.
"""

# Ours: a loop that torch would unroll at the length it traces.
_LOOP = "cannot be exported from PyTorch"
_LOOPS = (
    "chunkwise",
    "chunkwise_lookback",
    "coverage",
    "decoder_bahdanau",
    "decoder_gnmt",
    "decoder_input_feeding",
    "decoder_luong",
    "dynamic_convolution",
    "forward",
    "forward_agent",
    "location_sensitive",
    "location_sensitive_both",
    "mixture",
    "mixture_v0",
    "mixture_v1",
    "monotonic",
    "monotonic_general",
    "pyramid",
    "stochastic",
    "temporal_attention",
    "top_down",
)
# torch's exporter: operations that it does not know, or shapes that it cannot follow.
_UNKNOWN = "Exporting the operator|Unsupported|Failed to export a node"
_OPERATIONS = (
    "auto_correlation",
    "auto_correlation_cut",
    "big_bird",
    "blocks",
    "delta",
    "delta_negative",
    "disentangled",
    "disentangled_paper",
    "gated_delta",
    "gated_delta_per_channel",
    "induced_set_block",
    "latent_attention",
    "lsh",
    "lsh_causal",
    "multi_head_pooling",
    "perceiver",
    "perceiver_joined",
    "pervasive",
    "pervasive_attention",
    "pervasive_average",
    "pervasive_residual",
    "prob_sparse",
    "prob_sparse_causal",
    "set_block",
    "shaw",
    "shaw_keys",
)
# Row of the conformance suite -> what the error says.
REFUSED = dict.fromkeys(_LOOPS, _LOOP) | dict.fromkeys(_OPERATIONS, _UNKNOWN)
# Files that raise at some lengths other than the traced one, and never answer wrongly.
SOME_LENGTHS = {
    "attention_free_full",
    "attention_free_low_rank",
    "copy_net",
    "dnc",
    "gated_linear",
    "gated_linear_per_head",
    "linformer",
    "linformer_shared",
    "multi_head_latent_unplaced",
    "ntm",
    "pointer_generator",
    "pointer_sentinel",
    "pointer_sentinel_window",
    "retention",
    "retention_lightning",
}
