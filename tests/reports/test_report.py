"""One call from a model, from maps, from a probe or from examples to a page."""

import html
import json
import re
from types import SimpleNamespace

import keras
import numpy as np
import pytest

import regard
from regard.reports import Example
from regard.reports.captured import examples_of_maps
from regard.reports.texts import Texts
from regard.seeing import reducing
from regard.seeing.capture import attention_layers
from tests.reports.examples import make_record

TOKENS = [["a", "b", "c"], ["d", "e"]]


def entries(path):
    found = re.search(r'id="data">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)
    return json.loads(found[1])["examples"]


def side(entry, number, name):
    return entry["sides"][entry["maps"][number][name]]["text"]


@pytest.fixture(scope="module")
def model():
    inputs = keras.Input((3, 4))
    hidden = keras.layers.MultiHeadAttention(2, 3, name="mha")(inputs, inputs)
    return keras.Model(inputs, regard.layers.ContextPooling(4, name="pool")(hidden))


def test_a_model_and_its_inputs_become_a_page(model, tmp_path):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    path = regard.report(model, x, path=tmp_path / "a.html", key_tokens=TOKENS)
    first, second = entries(path)
    assert [each["layer"] for each in first["maps"]] == ["mha", "pool"]
    assert first["source"] == "a b c" and second["source"] == "d e"
    assert side(first, 0, "query") == TOKENS[0] == side(first, 1, "key")
    assert side(second, 0, "key") == TOKENS[1]


def test_what_a_key_adds_to_the_output_stands_beside_its_weight(tmp_path):
    for kind in (keras.layers.MultiHeadAttention, regard.layers.MultiHeadAttention):
        inputs = keras.Input((3, 4))
        layer = kind(2, 3, name="mha")
        model = keras.Model(inputs, layer(inputs, inputs))
        x = np.random.default_rng(0).normal(size=(1, 3, 4)).astype("float32")
        example = examples_of_maps(
            regard.attend_to(model, x), Texts.of(None, None), attention_layers(model)
        )[0]
        weights = example.attention[0].weights
        kernel, bias, out = (
            keras.ops.convert_to_numpy(
                next(w for w in layer.weights if f"{name}/{kind_}" in w.path)
            )
            for name, kind_ in (
                ("value", "kernel"), ("value", "bias"), ("attention_output", "kernel"),
            )
        )  # fmt: skip
        value = np.einsum("sd,dhk->hsk", x[0], kernel) + bias[:, None]
        norms = np.linalg.norm(np.einsum("hsk,hko->hso", value, out), axis=-1)
        wanted = weights * norms[:, None]
        wanted /= wanted.sum(-1, keepdims=True)
        np.testing.assert_allclose(
            example.attention[0].shares["norm"], wanted, rtol=1e-4
        )


@pytest.fixture(scope="module")
def judge():
    inputs = keras.Input((5,), dtype="int32")
    embedded = keras.layers.Embedding(20, 6, mask_zero=True)(inputs)
    pooled = regard.layers.ContextPooling(4, name="pool")(embedded)
    return keras.Model(inputs, keras.layers.Dense(2, name="logits")(pooled))


def test_a_classifier_is_explained_otherwise_too(judge, tmp_path):
    x = np.array([[3, 4, 5, 6, 7], [8, 9, 0, 0, 0]])
    tokens = [[f"t{word}" for word in row if word] for row in x.tolist()]
    classifier = regard.metrics.Classifier(judge, keras.ops.softmax)
    path = regard.report(
        classifier,
        x,
        path=tmp_path / "a.html",
        key_tokens=tokens,
        classes=["no", "yes"],
    )
    first, second = entries(path)
    wanted = classifier.predict(x)
    for entry, probabilities, size in ((first, wanted[0], 5), (second, wanted[1], 2)):
        explained = entry["explanation"]
        names, numbers = zip(*explained["probabilities"], strict=True)
        np.testing.assert_allclose(numbers, probabilities, rtol=1e-4)
        assert entry["output"] == names[int(np.argmax(numbers))]
        assert len(explained["compared"][0][1]) == size
        removal = explained["removal"]
        assert removal["counts"] == [count for count in (0, 1, 2, 3) if count < size]
        assert sorted(removal["order"]) == list(range(size))
        weights = regard.attend_to(judge, x)["pool"].weights[
            0 if size == 5 else 1, 0, 0
        ]
        assert removal["order"][0] == int(weights.argmax())
    left = x[:1].copy()
    strongest = first["explanation"]["removal"]["order"][0]
    left[0, strongest] = 0  # the mask hides it from the pooling too
    np.testing.assert_allclose(
        first["explanation"]["removal"]["probabilities"][1],
        classifier.predict(left)[0],
        rtol=1e-4,
    )


def test_classes_must_be_those_of_the_model(judge, tmp_path):
    classifier = regard.metrics.Classifier(judge, keras.ops.softmax)
    with pytest.raises(ValueError, match="classes must name the 2 classes"):
        x = np.ones((1, 5), int)
        regard.report(classifier, x, path=tmp_path / "a.html", classes=["one"])
    with pytest.raises(ValueError, match="must come with a model and its input"):
        maps = regard.attend_to(judge, np.ones((1, 5), int))
        regard.report(maps, path=tmp_path / "a.html", classes=["no", "yes"])


def test_two_models_are_set_beside_each_other(model, tmp_path):
    x = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    again = keras.models.clone_model(model)
    path = regard.report(
        model, x, path=tmp_path / "a.html", other=again, names=("old", "new")
    )
    (first, _) = entries(path)
    assert [each["second"] for each in first["maps"]] == [False, False, True, True]
    assert '"names":["old","new"]' in path.read_text("utf-8")
    with pytest.raises(ValueError, match="other must have the 2 examples"):
        maps = regard.attend_to(model, x[:1])
        regard.report(model, x, path=tmp_path / "b.html", other=maps)


def test_maps_take_the_tokens_that_fit_their_lengths(model, tmp_path):
    x = np.ones((2, 3, 4), "float32")
    maps = regard.attend_to(model, x)
    path = regard.report(maps, path=tmp_path / "a.html", language="ru")
    (first, _) = entries(path)
    assert side(first, 0, "query") == ["1", "2", "3"]
    outputs, inputs = [["o", "p"]] * 2, TOKENS
    texts = {"query_tokens": outputs, "key_tokens": inputs}
    crossed = regard.layers.DotAttention(name="cross")
    with regard.capture(crossed) as maps:
        crossed(np.ones((2, 2, 4), "float32"), x)
    (first, second) = entries(regard.report(maps, path=tmp_path / "b.html", **texts))
    assert side(first, 0, "query") == ["o", "p"]
    assert side(second, 0, "key") == ["d", "e"]
    assert first["output"] == "o p"


def test_a_probe_becomes_a_training(tmp_path):
    rng = np.random.default_rng(0)
    snapshots = [
        (step, {"one": rng.dirichlet(np.ones(3), size=(2, 1, 3))}) for step in (0, 5)
    ]
    lines = {"loss": [2.0, np.nan]}
    probe = SimpleNamespace(snapshots=snapshots, lines=lines, masks=[{}, {}])
    path = regard.report(probe, path=tmp_path / "a.html", key_tokens=TOKENS)
    entry = entries(path)[0]
    assert entry["steps"] == [0, 5] and entry["lines"] == [["loss", [2.0, None], ""]]
    assert [each["step"] for each in entry["maps"]] == [0, 1]


def test_a_probe_says_what_hid_the_pairs_of_its_maps(tmp_path):
    keras.utils.set_random_seed(0)
    ids = keras.Input((3,), dtype="int32")
    words = keras.layers.Embedding(9, 4, mask_zero=True)(ids)
    heads = keras.layers.MultiHeadAttention(2, 3, name="heads")
    read = heads(words, words, use_causal_mask=True)
    model = keras.Model(ids, regard.layers.AttentionPooling(name="pool")(read))
    model.compile("sgd", "mse")
    x = np.array([[1, 2, 3], [4, 5, 0]])
    probe = regard.AttentionProbe(x, snapshots=2)
    model.fit(x, np.zeros((2, 4)), callbacks=[probe], verbose=0)
    tokens = [["a", "b", "c"], ["d", "e", "-"]]
    path = regard.report(probe, path=tmp_path / "a.html", key_tokens=tokens)
    first, second = entries(path)
    assert [each["causes"] for each in first["maps"][:2]] == [
        ["query", "padding", "causal"],
        [],
    ]
    assert [each["causes"] for each in second["maps"]] == [
        ["query", "padding", "causal"],
        ["padding"],
    ] * 2


def test_examples_pass_through(tmp_path):
    example = Example(source="s", output="o", attention=make_record(["a"], ["b"]))
    for given in (example, [example]):
        path = regard.report(given, path=tmp_path / "a.html", title="T")
        assert len(entries(path)) == 1


def test_a_long_input_is_shown_by_its_outline(tmp_path, monkeypatch):
    monkeypatch.setattr(reducing, "LARGEST", 1_000)
    layer = regard.layers.MultiHeadAttention(2, 4, name="long")
    x = np.random.default_rng(0).normal(size=(1, 40, 8)).astype("float32")
    maps = regard.attend_to(layer, x)
    tokens = [f"t{at}" for at in range(40)]
    (entry,) = entries(regard.report(maps, path=tmp_path / "a.html", key_tokens=tokens))
    (drawn,) = entry["maps"]
    assert drawn["outline"]["top"] == 16 and drawn["outline"]["shape"] == [40, 40]
    whole = regard.attend_to(layer, x, whole=True)["long"].weights[0]
    mean = np.exp(-(whole * np.log(whole)).sum(-1)).mean(-1)
    np.testing.assert_allclose(drawn["effective"], mean, rtol=1e-4)


def test_chosen_rows_keep_their_own_tokens(model, tmp_path):
    x = np.ones((2, 3, 4), "float32")
    maps = regard.attend_to(model, x, layers="mha", rows=[2, 0])
    (first, _) = entries(
        regard.report(maps, path=tmp_path / "a.html", key_tokens=[list("abc")] * 2)
    )
    rows = [int(row) for row in maps["mha"].extra["rows"]]
    assert side(first, 0, "query") == ["abc"[row] for row in rows]
    assert side(first, 0, "key") == list("abc")


def test_the_header_says_what_was_captured(model, tmp_path):
    x = np.ones((2, 3, 4), "float32")
    facts = {"task": "none"}
    path = regard.report(model, x, path=tmp_path / "a.html", language="ru", facts=facts)
    header = path.read_text("utf-8").split('class="facts"')[1].split("</dl>")[0]
    for word in (
        "модель",
        model.name,
        "mha, pool",
        "none",
        f"Regard {regard.__version__}",
    ):
        assert word in header


def test_a_notebook_shows_the_page_in_a_closed_frame(tmp_path):
    example = Example(source='"s"', output="o", attention=make_record(["a"], ["b"]))
    path = regard.report(example, path=tmp_path / "a.html")
    frame = path._repr_html_()
    assert frame.startswith("<iframe srcdoc=") and frame.count("<") == 2
    assert 'sandbox="allow-scripts allow-downloads"' in frame
    inside = html.unescape(re.search('srcdoc="(.*?)"', frame, re.DOTALL)[1])
    assert inside == path.read_text("utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key_tokens": [["a"]]}, "key_tokens must have one list .* the 2 examples"),
        (
            {"query_tokens": [["a"]] * 2, "key_tokens": [["a"]]},
            "^key_tokens must have one list of strings for each of the 2",
        ),
        (
            {"key_tokens": [list("abcd"), ["a"]]},
            r"key_tokens must have at most 3 tokens for an example, .*\. Got 4\.",
        ),
        ({"key_tokens": "abc"}, "lists of strings. Got the string 'abc'"),
        ({"language": "xx"}, "language must be one of"),
    ],
)
def test_what_does_not_fit_is_refused(model, tmp_path, change, message):
    x = np.ones((2, 3, 4), "float32")
    with pytest.raises(ValueError, match=message):
        regard.report(model, x, path=tmp_path / "a.html", **change)
    assert not list(tmp_path.iterdir())


def test_nothing_to_show_is_said(model, tmp_path):
    with pytest.raises(ValueError, match="inputs must follow the model"):
        regard.report(model, path=tmp_path / "a.html")
    with regard.capture(model) as maps:
        pass
    with pytest.raises(ValueError, match="maps must hold weights"):
        regard.report(maps, path=tmp_path / "a.html")
    with pytest.raises(ValueError, match="a model, captured maps, a probe or examples"):
        regard.report([3], path=tmp_path / "a.html")
