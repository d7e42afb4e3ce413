"""Maps of which an outline was kept, in a real browser."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

from regard.reports import AttentionRecord, Example
from regard.seeing.outlining import outline
from tests.reports.browser import needs_browser

pytestmark = needs_browser


def test_of_an_outline_the_largest_weights_are_exact(ask):
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.full(1000, 0.05), size=(1, 600)).astype("float32")
    order = np.argsort(-weights, axis=-1)[..., :16]
    blocks = np.pad(weights, ((0, 0), (0, 0), (0, 0)))
    blocks = blocks.reshape(1, 300, 2, 500, 2)
    record = AttentionRecord(
        outline={
            "entropy": -(weights * np.log(np.maximum(weights, 1e-30))).sum(-1),
            "visible": np.full((1, 600), 1000),
            "received": weights.sum(1),
            "top_keys": order,
            "top_weights": np.take_along_axis(weights, order, -1),
            "largest": blocks.max((2, 4)),
            "mean": blocks.mean((2, 4)),
        },
        query_tokens=[f"q{i}" for i in range(600)],
        key_tokens=[f"k{i}" for i in range(1000)],
    )
    best, least = order[0, 7, 0], np.argmin(weights[0, 7])
    example = Example(source="s", output="o", attention=record)
    kept, note = ask(
        [example], 'return [text("#inspector dd"), text("#stage span")];',
        place=f"q=7&k={best}",
    )  # fmt: skip
    assert float(kept[2]) == pytest.approx(weights[0, 7, best], abs=2e-4)
    assert kept[3] == "1 / 1000"
    assert any("2 × 2" in each for each in note)
    (_, _, bound, *_) = ask(
        [example], 'return text("#inspector dd");', place=f"q=7&k={least}"
    )
    assert float(bound.removeprefix("≤ ")) == pytest.approx(
        weights[0, 7, order[0, 7, 15]], abs=2e-4
    )


def outlined(weights, **changed):
    """What is kept of weights (H, T, S) too many to keep, as while they are made."""
    table = keras.ops.convert_to_tensor(weights[None])
    mask = np.ones((1, 1, 1, 1), bool)

    def look(rows):
        return {"weights": keras.ops.take(table, rows, 2), "mask": mask}

    found = {
        name: keras.ops.convert_to_numpy(array)[0]
        for name, array in outline(look, weights.shape[1], 8).items()
    }
    return AttentionRecord(
        outline=found | changed,
        query_tokens=[f"q{at}" for at in range(weights.shape[1])],
        key_tokens=[f"k{at}" for at in range(weights.shape[2])],
    )


SUMS = (
    "const sums = (query) => [...document.querySelectorAll(query)]"
    ".map((e) => [e.textContent, e.title]);"
    "const cells = [...document.querySelectorAll('#stage td[data-row=\"1\"]')];"
    "return [sums('#stage tbody .sum'), sums('#stage tfoot .sum[title]'),"
    " cells.map((e) => e.textContent),"
    " cells.map((e) => e.getAttribute('aria-label').split(': ')[1]),"
    " cells.map((e) => getComputedStyle(e).backgroundColor),"
    " document.querySelector('#inspector').innerText];"
)


def test_sums_beside_a_small_outline_are_those_of_all_weights(ask):
    weights = np.random.default_rng(0).dirichlet(np.ones(24), (1, 20))
    weights = weights.astype("float32") * np.linspace(0.5, 1, 20, dtype="f")[:, None]
    example = Example(source="s", output="o", attention=outlined(weights))
    least = int(weights[0, 1].argmin())
    rows, columns, texts, said, colours, pair = ask(
        [example], SUMS, place=f"q=1&k={least}"
    )
    for found, wanted, name in (
        (rows, weights[0].sum(1), "row sum"), (columns, weights[0].sum(0), "column sum")
    ):  # fmt: skip
        assert [title for _, title in found] == [name] * len(wanted)
        assert_allclose([float(text) for text, _ in found], wanted, atol=0.0051)
    kept = set(np.argsort(-weights[0, 1])[:16].tolist())
    bound = f"≤ {np.sort(weights[0, 1])[-16]:.4f}"[:6]
    for column in range(24):
        if column in kept:
            assert float(said[column]) == pytest.approx(weights[0, 1, column], abs=2e-4)
        else:
            assert texts[column] == "" and said[column].startswith(bound)
    assert len(set(colours)) > 16 and "rgba(0, 0, 0, 0)" not in colours
    assert "NaN" not in pair and bound in pair


def test_a_sum_that_is_not_known_is_a_dash_with_the_reason(ask):
    weights = np.full((1, 4, 4), 0.25, "float32")
    many = np.random.default_rng(0).dirichlet(np.ones(60), (1, 20)).astype("f")
    unkept = outlined(many, mean=np.full((1, 10, 30), 1 / 60))
    broken = weights.copy()
    broken[0, 1, 2] = np.nan
    tokens = {"query_tokens": list("abcd"), "key_tokens": list("wxyz")}
    numbers = AttentionRecord(weights=broken, **tokens)
    dash = ["–", "no sum: weights are missing, or are not numbers"]
    for record, alone in ((unkept, False), (numbers, True)):
        rows, columns, *_ = ask(
            [Example(source="s", output="o", attention=record)], SUMS, place="q=0"
        )
        known = [["1.00", "row sum"], ["1.00", "column sum"]]
        for found, at, usual in ((rows, 1, known[0]), (columns, 2, known[1])):
            wanted = [usual if alone and n != at else dash for n in range(len(found))]
            assert found == wanted
