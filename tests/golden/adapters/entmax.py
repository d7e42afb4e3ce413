"""The sparse normalizers and losses of the entmax package."""

from keras import ops

from regard import normalizers
from regard.core.normalizers.entmax import entmax
from regard.losses import entmax_loss
from tests.golden.tools import adapts

EXACT = {1.5: "entmax15", 2.0: "sparsemax"}


@adapts("entmax.sparsemax", "entmax.sparsemax_bisect")
def sparsemax(case):
    return along(case, normalizers.get("sparsemax"))


@adapts("entmax.entmax15")
def entmax15(case):
    return along(case, normalizers.get("entmax15"))


@adapts("entmax.entmax_bisect")
def entmax_bisect(case):
    """An alpha as a number, or as a tensor with one for every row."""
    if "in.alpha" not in case.arrays:
        alpha = float(case.call.get("alpha", 1.5))
        return along(case, normalizers.get(EXACT.get(alpha, normalizers.Entmax(alpha))))
    axis = case.call.get("dim", -1)

    def run(t):
        alpha = t["in.alpha"] * ops.ones_like(ops.take(t["in.X"], [0], axis=axis))
        rows, own = ops.moveaxis(t["in.X"], axis, -1), ops.moveaxis(alpha, axis, -1)
        return {"out.p": ops.moveaxis(entmax(rows, None, own), -1, axis)}

    return run


@adapts("entmax.budget_bisect")
def budget_bisect(case):
    return along(case, normalizers.Budget(case.call.get("budget", 1.0)))


@adapts("entmax.normmax_bisect")
def normmax_bisect(case):
    return along(case, normalizers.Normmax(case.call.get("alpha", 2.0)))


def along(case, normalizer):
    axis = case.call.get("dim", -1)

    def run(t):
        weights = normalizer(ops.moveaxis(t["in.X"], axis, -1))
        return {"out.p": ops.moveaxis(weights, -1, axis)}

    return run


@adapts("entmax.sparsemax_loss")
def sparsemax_loss(case):
    return lost(case, 2.0)


@adapts("entmax.entmax15_loss")
def entmax15_loss(case):
    return lost(case, 1.5)


@adapts("entmax.entmax_bisect_loss")
def entmax_bisect_loss(case):
    return lost(case, float(case.call.get("alpha", 1.5)))


def lost(case, alpha):
    return lambda t: {"out.loss": entmax_loss(t["in.target"], t["in.X"], alpha)}
