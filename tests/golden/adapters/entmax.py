"""The sparse normalizers of the entmax package."""

from keras import ops

from regard import normalizers
from tests.golden.tools import adapts

EXACT = {1.0: "softmax", 1.5: "entmax15", 2.0: "sparsemax"}


@adapts("entmax.sparsemax", "entmax.sparsemax_bisect")
def sparsemax(case):
    return along(case, "sparsemax")


@adapts("entmax.entmax15")
def entmax15(case):
    return along(case, "entmax15")


@adapts("entmax.entmax_bisect")
def entmax_bisect(case):
    return along(case, EXACT[float(case.call["alpha"])])


def along(case, name):
    normalizer, axis = normalizers.get(name), case.call.get("dim", -1)

    def run(t):
        weights = normalizer(ops.moveaxis(t["in.X"], axis, -1))
        return {"out.p": ops.moveaxis(weights, -1, axis)}

    return run
