"""Facebook's adaptive span: queries look at the L keys before them."""

from keras import ops

from regard.core.positions import AdaptiveSpan, TransformerXLRelative
from regard.core.scopes import Window
from regard.layers import PersistentMemoryAttention
from tests.golden.ready import ReadyHeads, apart, joined
from tests.golden.tools import adapts


@adapts("adaptive_span.SeqAttention")
def seq_attention(case):
    """Places stand in one table for all heads, one row per distance L ... 1.

    Query m of a block stands at key m + L, which it does not see itself.
    """
    options = case.constructor
    heads, width = options["nb_heads"], options["hidden_size"]
    reach = options["attn_span"]
    scheme = TransformerXLRelative(reach=reach)
    if options.get("adapt_span_enabled"):
        # Distances there start at 0 for the key just before the query: ours are more
        # by one, and so is the span.
        ramp = options.get("adapt_span_ramp", 32)
        scheme = scheme + AdaptiveSpan(reach, ramp)
    scope = Window(reach) & ~Window(0)
    more = {"position": scheme, "scope": scope}
    slots = options.get("pers_mem_size")
    if slots:
        more |= {"kind": PersistentMemoryAttention, "memory_size": slots}
    ready = ReadyHeads(heads, width, **more)

    def run(t):
        query, keys, values = (
            joined(split(t[f"in.{name}"], heads)) for name in ("query", "key", "value")
        )
        rows = ops.transpose(t["in.key_pe"][0])  # (L, D), the farthest first
        table = ops.concatenate(
            [ops.zeros((reach + 1, width)), ops.flip(rows, axis=0)], axis=0
        )
        table = ops.repeat(table[:, None], heads, axis=1)
        nothing = ops.zeros((heads, width))
        weights = [table, nothing, nothing]
        if slots:
            key_memory = ops.swapaxes(t["w.persistent_memory.key"], 1, 2) * width**0.5
            value_memory = t["w.persistent_memory.val"] * slots**0.5
            weights = [key_memory, value_memory, *weights]
        if "w.adaptive_span._mask.current_val" in t:
            span = t["w.adaptive_span._mask.current_val"][:, 0, 0]
            weights.append(span + 1.0 / reach)
        places = ops.arange(query.shape[1], dtype="int32") + reach
        output, _ = ready(query, keys, values, weights, query_positions=places)
        output = apart(output, heads)
        return {"out.y": ops.reshape(output, t["in.query"].shape)}

    return run


def split(tensor, heads):
    """(B·H, T, D) -> (B, H, T, D)."""
    return ops.reshape(tensor, (-1, heads, *tensor.shape[1:]))
