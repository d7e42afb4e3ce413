"""Relative positions: Transformer-XL, XLNet, ESPnet, DeBERTa."""

from keras import ops

from regard.core.positions import DisentangledRelative, TransformerXLRelative
from regard.layers import MultiHeadAttention
from tests.golden.tools import Applied, adapts, linear, opposite, refuse_options


def kernel(matrix, heads):
    """A torch matrix (H·D, W) as a kernel (W, H, D)."""
    width = matrix.shape[1]
    return ops.reshape(ops.transpose(matrix), (width, heads, -1))


def headed(vector, heads):
    """A bias (H·D,) as (H, D)."""
    return ops.reshape(vector, (heads, -1))


def dense(t, name, heads):
    """A torch projection as Keras' kernel and, where there is one, bias."""
    found = [kernel(t[f"{name}.weight"], heads)]
    bias = t.get(f"{name}.bias")
    return found if bias is None else [*found, headed(bias, heads)]


def out_dense(t, name, heads):
    """A torch projection of joined heads as (H, D, W) and, where there is one, bias."""
    matrix = ops.transpose(t[f"{name}.weight"])  # (H·D, W)
    found = [ops.reshape(matrix, (heads, -1, matrix.shape[1]))]
    bias = t.get(f"{name}.bias")
    return found if bias is None else [*found, bias]


def no_merge(heads, width):
    """An output projection that only joins the heads."""
    return ops.reshape(ops.eye(heads * width), (heads, width, heads * width))


def layer_norm(x, t, name, epsilon):
    """``torch.nn.LayerNorm`` by its name."""
    x = x - ops.mean(x, axis=-1, keepdims=True)
    x = x / ops.sqrt(ops.mean(x * x, axis=-1, keepdims=True) + epsilon)
    return x * t[f"{name}.weight"] + t[f"{name}.bias"]


def by_distance(rows, reach):
    """(·, …) at distances reach, reach - 1 … as a table -reach … reach.

    Distances that no row has are zero: no pair has them either.
    """
    table = ops.flip(rows, axis=0)  # from the smallest distance upwards
    missing = 2 * reach + 1 - table.shape[0]
    return ops.pad(table, [(missing, 0)] + [(0, 0)] * (len(table.shape) - 1))


@adapts("espnet.RelPositionMultiHeadedAttention")
def espnet(case):
    refuse_options(case, zero_triu=(False, True))
    heads, width = case.constructor["n_head"], case.constructor["n_feat"]
    length = case.arrays["in.x"].shape[1]
    scheme = TransformerXLRelative(reach=max(length - 1, 1))
    applied = Applied(MultiHeadAttention(heads, width // heads, position=scheme))

    def run(t):
        names = ("w.linear_q", "w.linear_k", "w.linear_v")
        places = ops.matmul(t["in.pos_emb"][0], ops.transpose(t["w.linear_pos.weight"]))
        places = ops.reshape(places, (-1, heads, width // heads))
        output, weights = applied(
            [
                by_distance(places, scheme.reach),
                t["w.pos_bias_u"],
                t["w.pos_bias_v"],
                *(each for name in names for each in dense(t, name, heads)),
                *out_dense(t, "w.linear_out", heads),
            ],
            t["in.x"],
            attention_mask=None if "in.mask" not in t else spread(t["in.mask"]),
            return_attention_scores=True,
        )
        return {"out.y": output, "out.attention": weights}

    return run


def spread(mask):
    """(B, 1 | T, T) as booleans."""
    return ops.cast(mask, "bool")


@adapts("transformer_xl.RelPartialLearnableMultiHeadAttn")
def transformer_xl(case):
    options = case.constructor
    heads, width = options["n_head"], options["d_head"]
    scheme = TransformerXLRelative(width=options["d_model"])
    layer = MultiHeadAttention(heads, width, use_bias=False, position=scheme)
    applied, first = Applied(layer), bool(options.get("pre_lnorm"))

    def run(t):
        inputs = ops.swapaxes(t["in.w"], 0, 1)
        seen = inputs
        if "in.mems" in t:
            memory = ops.swapaxes(t["in.mems"], 0, 1)
            seen = ops.concatenate([memory, inputs], axis=1)
        if first:
            seen = layer_norm(seen, t, "w.layer_norm", 1e-5)
        query = seen[:, -inputs.shape[1] :]
        parts = ops.split(t["w.qkv_net.weight"], 3, axis=0)
        mask = t.get("in.attn_mask")
        output = applied(
            [
                kernel(t["w.r_net.weight"], heads),
                t["in.r_w_bias"],
                t["in.r_r_bias"],
                *(kernel(part, heads) for part in parts),
                *out_dense(t, "w.o_net", heads),
            ],
            query,
            seen,
            attention_mask=None if mask is None else pairs(mask),
        )
        output = inputs + output
        output = output if first else layer_norm(output, t, "w.layer_norm", 1e-5)
        return {"out.y": ops.swapaxes(output, 0, 1)}

    return run


def pairs(mask):
    """(T, S, B | 1 (, 1)), 1 = masked, as (B | 1, T, S), True = keep."""
    mask = mask[..., 0] if len(mask.shape) == 4 else mask
    return opposite(ops.moveaxis(mask, -1, 0))


@adapts("hf.XLNetRelativeAttention")
def xlnet(case):
    heads, width = case.constructor["n_head"], case.constructor["d_head"]
    wide = case.constructor["d_model"]
    keys = case.arrays["in.h"].shape[0] + len(case.arrays.get("in.mems", ()))
    scheme = TransformerXLRelative(reach=keys)
    layer = MultiHeadAttention(heads, width, use_bias=False, position=scheme)
    applied = Applied(layer)

    def run(t):
        inputs = ops.swapaxes(t["in.h"], 0, 1)
        seen = inputs
        if "in.mems" in t:
            memory = ops.swapaxes(t["in.mems"], 0, 1)
            seen = ops.concatenate([memory, inputs], axis=1)
        places = ops.einsum("ke,ehd->khd", t["in.r"][:, 0], t["w.r"])
        mask = t.get("in.attn_mask")
        output, weights = applied(
            [
                by_distance(places, keys),
                t["w.r_w_bias"],
                t["w.r_r_bias"],
                *(t[f"w.{name}"] for name in "qkv"),
                ops.transpose(t["w.o"], (1, 2, 0)),
            ],
            inputs,
            seen,
            attention_mask=None if mask is None else pairs(mask),
            bias=segments(t, inputs, wide, heads, width),
            return_attention_scores=True,
        )
        output = layer_norm(output + inputs, t, "w.layer_norm", 1e-12)
        return {
            "out.y": ops.swapaxes(output, 0, 1),
            "out.attention": ops.transpose(weights, (2, 3, 0, 1)),
        }

    return run


def segments(t, inputs, wide, heads, width):
    """XLNet's third term: whether two tokens are of one segment."""
    if "in.seg_mat" not in t:
        return None
    query = ops.einsum("bte,ehd->bhtd", inputs, t["w.q"])
    query = (query + t["w.r_s_bias"][:, None]) * width**-0.5
    both = ops.einsum("bhtd,shd->bhts", query, t["w.seg_embed"])
    return ops.einsum("bhts,tkbs->bhtk", both, ops.cast(t["in.seg_mat"], "float32"))


@adapts("hf.DebertaV2DisentangledSelfAttention")
def deberta(case):
    options = case.constructor
    heads, width = options["num_attention_heads"], options["hidden_size"]
    buckets = options.get("position_buckets", -1)
    longest = options.get("max_relative_positions", -1)
    if longest < 1:
        longest = options.get("max_position_embeddings", 512)
    terms = tuple(options.get("pos_att_type") or ())
    scheme = None
    if options.get("relative_attention") and terms:
        reach, far = (buckets, longest) if buckets > 0 else (longest, None)
        scheme = DisentangledRelative(reach, far, terms)
    layer = MultiHeadAttention(heads, width // heads, position=scheme)
    applied, shared = Applied(layer), bool(options.get("share_att_key"))

    def run(t):
        names = ("w.query_proj", "w.key_proj", "w.value_proj")
        tables = [
            projected(t, shared, part, heads, scheme.reach)
            for part, term in (("key", "c2p"), ("query", "p2c"))
            if term in terms
        ]
        output, weights = applied(
            [
                *tables,
                *(each for name in names for each in dense(t, name, heads)),
                no_merge(heads, width // heads),
                ops.zeros((width,)),
            ],
            t["in.hidden_states"],
            attention_mask=None if not case.call.get("mask") else t["in.keep"],
            return_attention_scores=True,
        )
        return {"out.y": output, "out.attention": weights}

    return run


def projected(t, shared, part, heads, reach):
    """The embeddings of distances, projected as contents are or on their own."""
    name = f"w.{part}_proj" if shared else f"w.pos_{part}_proj"
    rows = linear(t, name, t["in.rel_embeddings"][: 2 * reach])
    return ops.reshape(rows, (2 * reach, heads, -1))
