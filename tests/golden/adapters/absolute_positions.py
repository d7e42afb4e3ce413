"""Keras Hub's encodings of places: ours, added to zeros."""

from keras import ops

from regard.layers import LearnedPositions, SinusoidalPositions
from tests.golden.tools import Applied, adapts


def encoded(case, layer, *names):
    """Encodings of the places that the call counts or names."""
    applied = Applied(layer)
    start = int(case.call.get("start_index", 0))

    def run(t):
        inputs = t["in.x"]
        places = t.get("in.positions")
        if places is None:
            places = ops.arange(inputs.shape[1], dtype="int32") + start
        weights = [t[name] for name in names]
        zeros = ops.zeros_like(inputs)
        return applied(weights, zeros, positions=ops.cast(places, "int32"))

    return run


@adapts("keras_hub.SinePositionEncoding")
def sine(case):
    layer = SinusoidalPositions(case.constructor.get("max_wavelength", 10000))
    run = encoded(case, layer)
    return lambda t: {"out.encoding": run(t)}


@adapts("keras_hub.PositionEmbedding")
def learned(case):
    layer = LearnedPositions(case.constructor["sequence_length"])
    run = encoded(case, layer, "w.embeddings")
    return lambda t: {"out.embedding": run(t)}
