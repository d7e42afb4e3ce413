"""Which path the engine takes for a layer, before anything runs."""

from regard.core.band import reach_of
from regard.core.fused import is_fusable
from regard.core.plan import Plan, Traits
from regard.core.plan import plan as plan_sizes
from regard.layers.alignments.alignment import Alignment
from regard.layers.attention import Attention


def plan(layer: Attention, query_shape, value_shape=None) -> Plan:
    """The engine's choice for these shapes: path, rows per block, reason, bytes.

    Args:
        layer: one of ``regard.layers`` that attends to a memory. Sums of keys
            ("linear") give way to pairs in a call with dropout, a bias or an
            attention_mask, and "fused" in a call with dropout or a bias.
        query_shape: (B, T, Dq); a size may be None where it is not known.
        value_shape: (B, S, Dv), by default that of the query.

    Returns:
        A ``Plan``. ``bytes`` is what a forward call in float32 adds to the process,
        from measurements, None where a size is unknown.

    Raises:
        ValueError: where a shape has not three axes, or layer is not an attention over
            a memory. Recurrences, approximations, poolings, decoders, blocks and layers
            over images have paths of their own, whose memory is not predicted.
    """
    if not isinstance(layer, Attention):
        raise ValueError(
            "layer must be an attention over a memory, such as "
            f"regard.layers.AdditiveAttention. Got {type(layer).__name__}. "
            "Recurrences, approximations, poolings, decoders, blocks and layers over "
            "images cannot be planned; an attention inside one can."
        )
    value_shape = query_shape if value_shape is None else value_shape
    for name, shape in {"query_shape": query_shape, "value_shape": value_shape}.items():
        if len(shape) != 3:
            raise ValueError(
                f"{name} must be (batch, length, width). Got {tuple(shape)}."
            )
    if isinstance(layer, Alignment):
        return Plan("steps", 1, "every step needs the weights of the one before", None)
    batch = query_shape[0]
    planes = None if batch is None else batch * layer.num_heads * layer.maps_per_head
    memory = value_shape[1]
    memory = None if memory is None else memory + layer.own_keys
    local = layer.scope is not None and layer.cacheable and not layer.by_column
    traits = Traits(
        width=layer.pairwise_width,
        rowwise=layer.normalizer.rowwise,
        tables=layer.normalizer.tables,
        factored=layer.factored and layer.scope is None,  # a scope is about pairs
        fusable=is_fusable(_recipe_of(layer, query_shape, value_shape)),
        reach=reach_of(layer.scope) if local else None,
        vector=_vector(layer, query_shape[-1], value_shape[-1]),
    )
    return plan_sizes(query_shape[1], memory, traits, planes)


def _vector(layer, query_width, value_width):
    """The widths of a projected key and value of one head."""
    if query_width is None or value_width is None:
        return 0
    return layer.head_width(query_width) + layer.value_head_width(value_width)


def _recipe_of(layer, query_shape, value_shape):
    """The recipe with the parts, of a copy where the layer is not built yet."""
    if not layer.built:
        layer = type(layer).from_config(layer.get_config())
        layer.build(query_shape, value_shape)
    return layer._whole_recipe()
