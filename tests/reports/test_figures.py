"""Figures say what the weights say, in any direction of writing."""

import sys

import numpy as np
import pytest

import regard
from regard.reports import AttentionRecord

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
matplotlib.use("Agg")

RNG = np.random.default_rng(0)
WEIGHTS = RNG.dirichlet(np.ones(4), size=3)
RUSSIAN, HEBREW = ["мир", "и", "ёж"], ["שלום", "עולם", "זה", "מבחן"]


@pytest.fixture(autouse=True)
def closed():
    yield
    matplotlib.pyplot.close("all")


def texts(axes):
    return [each.get_text() for each in axes.texts]


def labels(axis):
    return [each.get_text() for each in axis.get_ticklabels()]


def test_cells_labels_and_numbers():
    axes = regard.plot_alignment(WEIGHTS, RUSSIAN, list("abcd"))
    mesh = axes.collections[0]
    np.testing.assert_allclose(mesh.get_array().reshape(3, 4), WEIGHTS, rtol=1e-6)
    assert labels(axes.yaxis) == RUSSIAN and labels(axes.xaxis) == list("abcd")
    assert [float(text) for text in texts(axes)] == pytest.approx(
        WEIGHTS.ravel().round(2), abs=0.0051
    )
    assert axes.get_ylim() == (3, 0)  # the first query is above
    assert axes.get_xlim() == (0, 4)


def test_text_from_the_right_runs_from_the_right():
    axes = regard.plot_alignment(WEIGHTS, RUSSIAN, HEBREW)
    assert axes.get_xlim() == (4, 0)
    tagged = regard.plot_alignment(WEIGHTS, languages=("ru", "ar"))
    assert tagged.get_xlim() == (4, 0)


def test_hidden_is_hatched_and_no_number_is_crossed():
    weights = WEIGHTS.copy()
    weights[1, 2] = np.nan
    axes = regard.plot_alignment(weights, mask=np.arange(4) < 3)
    assert any(each.get_hatch() for each in axes.collections)
    assert texts(axes).count("✕") == 1 and len(texts(axes)) == 9


def test_many_cells_have_no_numbers_and_some_labels():
    axes = regard.plot_alignment(RNG.dirichlet(np.ones(130), size=130))
    assert not axes.texts
    assert labels(axes.xaxis)[:3] == ["0", "3", "6"]


def test_heads_stand_side_by_side_on_one_scale(tmp_path):
    record = AttentionRecord(
        weights=RNG.dirichlet(np.ones(4), size=(5, 3)),
        query_tokens=RUSSIAN,
        key_tokens=HEBREW,
        heads=[f"L1 H{head}" for head in range(5)],
    )
    figure = regard.plot_heads(record, columns=3)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:5] == list(record.heads)
    scales = {axes.collections[0].get_clim() for axes in figure.axes[:5]}
    assert scales == {(0, 1)}
    figure.savefig(tmp_path / "heads.svg")
    images = (tmp_path / "heads.svg").read_text().count("<image")
    assert images == 1  # the scale's gradient; all cells are vectors


def test_highlighted_words_follow_each_other_and_break_into_lines():
    words = ["word"] * 40
    axes = regard.highlight(words, np.linspace(0, 1, 40))
    places = [each.get_position() for each in axes.texts]
    assert texts(axes) == words
    tops = [y for _, y in places]
    assert tops == sorted(tops, reverse=True) and len(set(tops)) > 1
    assert all(0 <= x <= 1 and 0 < y <= 1 for x, y in places)
    backs = [each.get_bbox_patch().get_facecolor()[0] for each in axes.texts]
    assert backs == sorted(backs, reverse=True)  # darker and darker
    reverse = regard.highlight(HEBREW, np.ones(4) / 4)
    across = [each.get_position()[0] for each in reverse.texts]
    assert across == sorted(across, reverse=True)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="key_tokens must be a sequence of 4"):
        regard.plot_alignment(WEIGHTS, RUSSIAN, ["one"])
    with pytest.raises(ValueError, match="weights must have shape"):
        regard.plot_alignment(np.ones(3))
    with pytest.raises(ValueError, match=r"weights must have shape \(3,\)"):
        regard.highlight(RUSSIAN, np.ones(4))


def test_without_matplotlib_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install regard\[figures\]"):
        regard.plot_alignment(WEIGHTS)
