"""Functions of ready queries, keys and values: the engine without a layer."""

import re

from keras import ops

from regard import Causal, Padding, Window, normalizers
from regard.core import scores
from regard.core.attend import Recipe, Visibility, attend, standard_scale
from regard.core.positions import ALiBi
from regard.core.scopes import Grid
from tests.golden.tools import adapts, within


def attended(  # noqa: PLR0913 - the engine's arguments
    query,
    key,
    value,
    scale=None,
    scope=None,
    masks=None,
    bias=None,
    normalizer="softmax",
):
    """Contexts (B, H, T, Dv); rows and columns are counted from the top left."""
    factor = standard_scale(query.shape[-1]) if scale is None else scale
    recipe = Recipe(
        lambda queries, keys: scores.scaled_dot(queries, keys, factor),
        normalizers.get(normalizer),
    )
    rows = ops.arange(query.shape[2], dtype="int32")
    grid = Grid.of(query.shape[2], key.shape[2], rows)
    scopes = {} if scope is None else {"scope": scope}
    visibility = Visibility(masks or {}, scopes, grid)
    return attend(query, key, value, recipe, visibility, bias)["context"]


@adapts("torch.scaled_dot_product_attention")
def scaled_dot_product_attention(case):
    scope = Causal(offset=0) if case.call.get("is_causal") else None

    def run(t):
        query = t["in.q"]
        key = t.get("in.k", query)
        value = t.get("in.v", key)
        mask = t.get("in.attn_mask")
        boolean = mask is not None and "bool" in str(mask.dtype)
        while mask is not None and len(mask.shape) < 4:
            mask = mask[None]
        output = attended(
            query,
            key,
            value,
            case.call.get("scale"),
            scope,
            {"user": mask} if boolean else None,
            None if boolean else mask,
        )
        return {"out.y": output}

    return run


@adapts("torch.flex_attention")
def flex_attention(case):
    arguments = FLEX[case.call["mod"].rstrip("0123456789.")]

    def run(t):
        output = attended(t["in.q"], t["in.k"], t["in.v"], **arguments(case, t))
        return {"out.y": output}

    return run


def alibi(case, t):
    """The slopes of a power of two for any number of heads."""
    heads, length = t["in.q"].shape[1:3]
    steep = [2.0 ** (-8.0 * (h + 1) / heads) for h in range(heads)]
    grid = Grid.of(length, t["in.k"].shape[2], ops.arange(length, dtype="int32"))
    bias = ALiBi(slopes=steep).bias(t["in.q"], t["in.k"], grid)
    return {"bias": bias, "scope": Causal()}


def documents(case, t):
    number = t["in.document_id"]
    same = number[:, None, :, None] == number[:, None, None, :]
    return {"masks": {"documents": same}}


def prefix(case, t):
    return {"scope": Causal() | Padding(t["in.prefix_len"])}


def window(case, t):
    """The width stands at the end of the modification or in the case's name."""
    variant = case.id.rsplit(".", 1)[1]
    width = re.search(r"(\d+)$", case.call["mod"]) or re.search(r"w(\d+)", variant)
    return {"scope": Window(int(width.group(1)))}


def soft_cap(case, t):
    """The cap stands at the end of the modification or in the case's name."""
    variant = case.id.rsplit(".", 1)[1]
    cap = re.search(r"([\d.]+)$", case.call["mod"]) or re.search(r"cap_?(\d+)", variant)
    causal = "causal" in variant or case.call.get("causal")
    return {
        "normalizer": normalizers.SoftCap(float(cap.group(1))),
        "scope": Causal() if causal else None,
    }


FLEX = {
    "softcap": soft_cap,
    "alibi": alibi,
    "document": documents,
    "prefix": prefix,
    "window": window,
}


@adapts("fast_transformers.FullAttention")
def full_attention(case):
    scope = Causal(offset=0) if case.call.get("causal") else None
    scale = case.constructor.get("softmax_temp")

    def run(t):
        names = ("in.queries", "in.keys", "in.values")
        query, key, value = (ops.swapaxes(t[name], 1, 2) for name in names)
        keep = within(t.get("in.key_lengths"), key.shape[2])
        masks = None if keep is None else {"padding": keep[:, None, None, :]}
        output = attended(query, key, value, scale, scope, masks)
        return {"out.y": ops.swapaxes(output, 1, 2)}

    return run
