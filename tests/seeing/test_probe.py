"""A probe watches a training and changes nothing of it."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from numpy.testing import assert_allclose, assert_array_equal

import regard
from regard.seeing.diagnostics import diagnose
from regard.seeing.event_files import png, side_by_side
from regard.seeing.pace import next_step, thinned
from regard.seeing.snapshots import Snapshot

RNG = np.random.default_rng(3)
IDS = RNG.integers(1, 9, size=(24, 5))
IDS[::3, 3:] = 0
ANSWERS = RNG.normal(size=(24, 1)).astype("float32")


@keras.saving.register_keras_serializable("probe_test")
class Drawing(layers.Layer):
    """Draws numbers in inference too, and counts how often it is traced to train."""

    def __init__(self):
        super().__init__()
        self.seeds = keras.random.SeedGenerator(5)
        self.traced = []

    def call(self, inputs, training=False):
        if training:
            self.traced.append(1)
        return inputs + keras.random.normal(ops.shape(inputs), seed=self.seeds) / 9


def model_of(seed=1):
    keras.utils.set_random_seed(seed)
    ids = keras.Input((5,), dtype="int32")
    words = Drawing()(layers.Embedding(9, 6)(ids))
    keep = ops.not_equal(ids, 0)
    heads = layers.MultiHeadAttention(2, 3, dropout=0.2, name="heads")
    read = heads(words, words, attention_mask=keep[:, None])
    read = layers.Dropout(0.3)(layers.LayerNormalization()(words + read))
    pooled = regard.layers.AttentionPooling(name="pool")(read, mask=keep)
    model = keras.Model(ids, layers.Dense(1)(pooled))
    model.compile("adam", "mse")
    return model


def trained(epochs=2, data=None, **options):
    model = model_of()
    if data is None:
        options |= {"x": IDS, "y": ANSWERS, "batch_size": 4}
    else:
        options["x"] = data()
    history = model.fit(epochs=epochs, verbose=0, shuffle=False, **options)
    (drawing,) = (each for each in model.layers if isinstance(each, Drawing))
    return model, history.history["loss"], len(drawing.traced)


def test_training_is_what_it_would_be_without():
    probe = regard.AttentionProbe(IDS[:3], snapshots=5)
    model, losses, traced = trained(callbacks=[probe])
    other, expected, before = trained()
    assert losses == expected
    assert traced == before  # nothing was compiled again
    for mine, theirs in zip(model.variables, other.variables, strict=True):
        found = ops.convert_to_numpy(mine)  # weights, and the states of seeds
        assert_array_equal(found, ops.convert_to_numpy(theirs), mine.path)
    assert [step for step, _ in probe.snapshots] == [0, 1, 2, 5, 12]


def test_snapshots_are_the_weights_of_their_step():
    probe = regard.AttentionProbe(IDS[:3], snapshots=4)
    losses = trained(callbacks=[probe])[1]
    steps, weights = zip(*probe.snapshots, strict=True)
    assert steps == (0, 1, 3, 12)
    assert list(weights[0]) == ["heads", "pool"]
    assert weights[0]["heads"].shape == (3, 2, 5, 5)
    pool = regard.attend_to(model_of(), IDS[:3])["pool"]
    assert_allclose(weights[0]["pool"], pool.weights, atol=1e-6)
    lines = probe.lines
    assert np.isnan(lines["loss"][0]) and lines["loss"][-1] == pytest.approx(losses[-1])
    mask = (IDS[:3] != 0)[:, None] * np.ones((1, 5, 1), bool)
    for place, each in enumerate(weights):
        maps = [diagnose(w[1], m) for w, m in zip(each["heads"], mask, strict=True)]
        for name, field in {
            "entropy": "entropy",
            "effective positions": "effective",
            "off-diagonality": "off_diagonality",
        }.items():
            mean = np.mean([getattr(one, field) for one in maps])
            assert lines[f"{name}/heads/1"][place] == pytest.approx(mean)


def test_masks_are_kept_by_cause_once_for_all_snapshots():
    probe = regard.AttentionProbe(IDS[:3], snapshots=3)
    trained(callbacks=[probe])
    keep = IDS[:3] != 0
    assert len(probe.masks) == len(probe.snapshots) == 3
    for masks in probe.masks:
        assert_array_equal(masks["heads"]["user"], keep[:, None, None])
        assert_array_equal(masks["pool"]["padding"], keep[:, None, None])
        assert masks["heads"]["user"] is probe.masks[0]["heads"]["user"]


@pytest.mark.filterwarnings("ignore:Your input ran out")
def test_a_training_of_unknown_length_is_thinned(tmp_path):
    def batches():
        for _ in range(10):
            yield IDS[:4], ANSWERS[:4]

    probe = regard.AttentionProbe(IDS[:2], "pool", rows=0, snapshots=6)
    model, *_ = trained(1, batches, callbacks=[probe])
    steps = [step for step, _ in probe.snapshots]
    assert steps[0] == 0 and steps[-1] == 10 and len(steps) == 6
    assert "entropy/pool/0" in probe.lines
    assert not [name for name in probe.lines if "diagonal" in name]
    model.fit(IDS, ANSWERS, batch_size=4, verbose=0, callbacks=[probe])
    again = [step for step, _ in probe.snapshots]
    assert again[0] == 0 and again[-1] == 16 and len(again) == 6

    found = regard.AttentionProbe.load(probe.save(tmp_path / "probe"))
    assert [step for step, _ in found.snapshots] == again
    for (_, mine), (_, theirs) in zip(probe.snapshots, found.snapshots, strict=True):
        assert_array_equal(mine["pool"], theirs["pool"])
    for mine, theirs in zip(probe.masks, found.masks, strict=True):
        assert_array_equal(mine["pool"]["padding"], theirs["pool"]["padding"])
    assert list(found.lines) == list(probe.lines)
    assert_array_equal(found.lines["loss"], probe.lines["loss"])
    with pytest.raises(ValueError, match="inputs must be a batch"):
        model.fit(IDS, ANSWERS, verbose=0, callbacks=[found])


FORMER = '{"snapshots": [{"step": 0, "layers": ["pool"]}], "lines": []}'


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (
            '{"maps": {}}',
            r"Maps\.save wrote: regard\.seeing\.maps\.Maps\.load reads it",
        ),
        (FORMER, "another version of regard wrote, in another layout"),
        ('{"pairs": []}', "no other part of regard wrote either"),
        ("[1, 2]", "which is none"),
        (None, "arrays without an index"),
    ],
)
def test_a_file_of_something_else_is_named(tmp_path, index, said):
    path = tmp_path / "other.npz"
    arrays = {"weights": np.ones(2)} if index is None else {"index": np.array(index)}
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=rf"AttentionProbe\.save wrote.*{said}"):
        regard.AttentionProbe.load(path)


@pytest.mark.parametrize("end", [1, 3, 7, 100, 12345])
def test_steps_grow_in_equal_ratios(end):
    steps, limit = [0], 24
    while steps[-1] < end:
        steps.append(next_step(steps[-1], limit - len(steps), end))
    assert steps[-1] == end and len(steps) == min(limit, end + 1)
    ratios = np.divide(steps[14:], steps[13:-1])
    assert end < 12345 or np.ptp(ratios) < 0.05


def test_what_stays_is_spread_and_keeps_its_ends():
    kept = []
    for step in range(1000):
        kept = thinned([*kept, Snapshot(step, {}, {})], 9)
    steps = np.array([each.step for each in kept])
    assert steps[0] == 0 and steps[-1] == 999 and len(steps) == 9
    assert np.diff(np.log1p(steps)).max() < 2.2


def test_tensorboard_reads_what_is_written(tmp_path):
    loader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_file_loader",
        reason="tensorboard is not installed",
    )
    probe = regard.AttentionProbe(IDS[:2], "heads", snapshots=3, log_dir=tmp_path)
    trained(callbacks=[probe])
    (path,) = tmp_path.iterdir()
    events = list(loader.LegacyEventFileLoader(str(path)).Load())[1:]
    assert [event.step for event in events] == [0, 1, 12]
    values = {value.tag: value for value in events[-1].summary.value}
    for name, line in probe.lines.items():
        assert values[name].simple_value == pytest.approx(line[-1])
    picture = values["heads/example 1"].image
    pixels = side_by_side(probe.snapshots[-1][1]["heads"][1])
    assert (picture.height, picture.width) == pixels.shape == (160, 324)
    assert picture.encoded_image_string == png(pixels)


def test_a_picture_shows_a_large_weight_dark(tmp_path):
    image = pytest.importorskip("matplotlib.image", reason="needs matplotlib")
    heads = np.array([np.eye(2), [[0.5, 0.5], [0, 1]]])
    pixels = side_by_side(heads)
    (tmp_path / "heads.png").write_bytes(png(pixels))
    read = image.imread(tmp_path / "heads.png")
    assert_allclose(read, pixels / 255, atol=1e-6)
    assert pixels[0, 0] == 0 and pixels[0, 159] == 255
    assert pixels[0, 164] == 128 and pixels[159, -1] == 0


def test_what_cannot_be_kept_is_refused():
    with pytest.raises(ValueError, match="snapshots must be 2"):
        regard.AttentionProbe(IDS, snapshots=1)
    with pytest.raises(ValueError, match="layers must name"):
        trained(callbacks=[regard.AttentionProbe(IDS, "nothing")])
