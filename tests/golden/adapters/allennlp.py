"""allennlp's attentions: one vector asks, weights (or bare scores) are the answer."""

from keras import ops

from regard.layers import (
    AdditiveAttention,
    BiaffineAttention,
    CosineAttention,
    LinearScoreAttention,
    ScaledDotAttention,
)
from tests.golden.tools import Applied, adapts, listened

PREFIX = "allennlp."


@adapts(f"{PREFIX}AdditiveAttention")
def additive(case):
    layer = AdditiveAttention(case.arrays["w._w_matrix"].shape[1])

    def weights(t):
        return [t["w._w_matrix"], t["w._u_matrix"], t["w._v_vector"][:, 0]]

    return pointed(case, layer, weights)


@adapts(f"{PREFIX}BilinearAttention")
def bilinear(case):
    """A matrix, and its bias in the corner."""
    layer = BiaffineAttention(activation=activation_of(case))

    def weights(t):
        kernel = ops.pad(t["w._weight_matrix"], [(0, 1), (0, 1)])
        corner = ops.pad(t["w._bias"][:, None], [(s, 0) for s in kernel_of(case)])
        return [kernel + corner]

    return pointed(case, layer, weights)


def kernel_of(case):
    return case.arrays["w._weight_matrix"].shape


@adapts(f"{PREFIX}CosineAttention")
def cosine(case):
    layer = CosineAttention(sharpness=1.0, learn_sharpness=False)
    return pointed(case, layer, lambda t: [ops.ones(())])


@adapts(f"{PREFIX}ScaledDotProductAttention")
def scaled_dot(case):
    factor = case.constructor.get("scaling_factor")
    layer = ScaledDotAttention(learn_scale=factor is not None)
    scale = [] if factor is None else [ops.full((), 1.0 / factor)]
    return pointed(case, layer, lambda t: scale)


@adapts(f"{PREFIX}DotProductAttention")
def dot(case):
    layer = ScaledDotAttention(learn_scale=True)
    return pointed(case, layer, lambda t: [ops.ones(())])


@adapts(f"{PREFIX}LinearAttention")
def linear(case):
    terms = combination_of(case)
    layer = LinearScoreAttention(",".join(terms), activation=activation_of(case))
    products = [term for term in terms if "*" in term or "/" in term]
    if not products or len(products) == len(terms):
        return pointed(case, layer, lambda t: [t["w._weight_vector"], t["w._bias"]])
    return crossed(case, layer, terms)


def crossed(case, layer, terms):
    """Products and the rest meet by broadcasting there, every example with every other.

    Here the two stand behind each other as features: products read those of the one
    example, the rest those of the other.
    """
    width = case.arrays["in.vector"].shape[1]

    def weights(t):
        pieces = []
        for place, term in enumerate(terms):
            piece = t["w._weight_vector"][place * width : (place + 1) * width]
            product = "*" in term or "/" in term
            pieces.append(ops.pad(piece, [(0, width) if product else (width, 0)]))
        return [ops.concatenate(pieces), t["w._bias"]]

    run = pointed(case, layer, weights)

    def every_pair(t):
        batch = t["in.vector"].shape[0]

        def paired(x):
            one = ops.repeat(x, batch, axis=0)
            other = ops.concatenate([x] * batch, axis=0)
            return ops.concatenate([one, other], axis=-1)

        pairs = {n: paired(t[n]) for n in ("in.vector", "in.matrix")}
        if "in.matrix_mask" in t:
            pairs["in.matrix_mask"] = ops.repeat(t["in.matrix_mask"], batch, axis=0)
        found = run({**t, **pairs})["out.attention"]
        return {"out.attention": ops.reshape(found, (batch, batch, -1))}

    return every_pair


def combination_of(case):
    """The terms, by name or as the case's options spell them: ``x_y_xy``."""
    if "combination" in case.constructor:
        return case.constructor["combination"].replace(" ", "").split(",")
    words = words_of(case)
    spelt = {"x": "x", "y": "y", "xy": "x*y", "x*y": "x*y", "x-y": "x-y"}
    spelt |= {"x+y": "x+y", "x/y": "x/y"}
    return [spelt[word] for word in words if word in spelt] or ["x", "y"]


def words_of(case):
    """How the case describes itself."""
    return str(case.constructor.get("options", "")).lower().split("_")


def activation_of(case):
    """Keras' name of an activation."""
    spelt = [word for word in ("tanh", "relu", "sigmoid") if word in words_of(case)]
    name = case.constructor.get("activation", spelt[0] if spelt else None)
    return None if name is None else str(name).removesuffix("()").lower()


def pointed(case, layer, weights):
    """A run that returns the weights of one query, or its scores."""
    applied = Applied(layer)
    raw = case.constructor.get("normalize", case.call.get("normalize")) is False
    raw = raw or bool({"raw", "unnormalized", "scores"} & set(words_of(case)))

    def run(t):
        def ask():
            return applied(
                weights(t),
                t["in.vector"][:, None],
                t["in.matrix"],
                value_mask=t.get("in.matrix_mask"),
                return_attention_scores=True,
            )

        (_, attention), heard = listened(layer, ask)
        found = heard["scores"][:, 0, 0] if raw else attention[:, 0]
        return {"out.attention": found}

    return run
