"""Blocks and stacks: masks survive them, caches continue them, any attention fits."""

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from regard import Prefix, Window, layers, positions
from regard.models import (
    FeedForward,
    Transformer,
    TransformerDecoder,
    TransformerDecoderBlock,
    TransformerEncoder,
    TransformerEncoderBlock,
)
from tests.conformance.compiled import at_once
from tests.models.small import array

BATCH, LENGTH, WIDTH, MEMORY = 2, 6, 8, 5
NORMS = {"pre-norm": True, "post-norm": False}


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def heads(**options):
    return layers.MultiHeadAttention(2, 4, **options)


def encoder(pre_norm, depth=3):
    blocks = [
        TransformerEncoderBlock(heads(), 12, pre_norm=pre_norm) for _ in range(depth)
    ]
    return TransformerEncoder(blocks)


def decoder(pre_norm, depth=2, **options):
    blocks = [
        TransformerDecoderBlock(
            heads(position=positions.RoPE()), 12, heads(**options), pre_norm=pre_norm
        )
        for _ in range(depth)
    ]
    return TransformerDecoder(blocks)


@pytest.mark.parametrize("pre_norm", NORMS.values(), ids=NORMS)
def test_a_block_is_its_equation(pre_norm):
    block = TransformerEncoderBlock(heads(), 12, pre_norm=pre_norm)
    x = keras.ops.convert_to_tensor(numbers(BATCH, LENGTH, WIDTH))
    found = array(block(x))
    first, second = block.attention_norm, block.feed_forward_norm
    if pre_norm:
        expected = x + block.attention(first(x))
        expected = expected + block.feed_forward(second(expected))
    else:
        expected = first(x + block.attention(x))
        expected = second(expected + block.feed_forward(expected))
    assert_allclose(found, array(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pre_norm", NORMS.values(), ids=NORMS)
@pytest.mark.parametrize("junk", [1e3, np.nan])
def test_masks_survive_every_block(pre_norm, junk):
    stack = encoder(pre_norm)
    x = numbers(BATCH, LENGTH, WIDTH)
    keep = np.arange(LENGTH) < np.array([[LENGTH], [4]])
    short = array(stack(x[1:, :4]))
    spoilt = np.where(keep[..., None], x, np.float32(junk))
    output, weights = stack(spoilt, inputs_mask=keep, return_attention_scores=True)
    assert_allclose(array(output)[1:, :4], short, rtol=1e-4, atol=1e-5)
    assert len(weights) == 3
    for each in weights:
        assert not array(each)[1, :, :, 4:].any()
        assert_allclose(array(each)[1, :, :4].sum(-1), 1.0, atol=1e-5)


@pytest.mark.parametrize("pre_norm", NORMS.values(), ids=NORMS)
def test_implicit_masks_reach_the_end_and_are_left_on_the_inputs(pre_norm):
    """Keras' layer strips the mask of what it is given: its second block sees all."""
    words = keras.layers.Embedding(9, WIDTH, mask_zero=True)
    ids = np.array([[3, 4, 5, 0, 0], [6, 7, 8, 2, 1]])
    stack = encoder(pre_norm)
    x = words(ids)
    output = stack(x)
    for tensor in (x, output):
        assert_array_equal(array(keras.src.backend.get_keras_mask(tensor)), ids != 0)
    explicit = stack(array(x), inputs_mask=ids != 0)
    assert_allclose(array(output), array(explicit), rtol=1e-5, atol=1e-6)
    inputs = keras.Input((None,), dtype="int32")
    model = keras.Model(inputs, stack(words(inputs)))
    assert_allclose(array(model(ids)), array(explicit), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("pre_norm", NORMS.values(), ids=NORMS)
def test_padding_of_the_memory_changes_nothing(pre_norm):
    stack = decoder(pre_norm)
    x, memory = numbers(BATCH, LENGTH, WIDTH), numbers(BATCH, MEMORY, 7, seed=1)
    expected = array(stack(x, memory))
    junk = np.full((BATCH, 2, 7), np.nan, "float32")
    longer = np.concatenate([memory, junk], axis=1)
    keep = np.arange(MEMORY + 2) < np.full((BATCH, 1), MEMORY)
    found, weights = stack(x, longer, memory_mask=keep, return_attention_scores=True)
    assert_allclose(array(found), expected, rtol=1e-4, atol=1e-5)
    assert not array(weights)[..., MEMORY:].any()


@pytest.mark.parametrize("pre_norm", NORMS.values(), ids=NORMS)
def test_later_places_change_nothing(pre_norm):
    stack = decoder(pre_norm)
    x, memory = numbers(BATCH, LENGTH, WIDTH), numbers(BATCH, MEMORY, 7, seed=1)
    before = array(stack(x, memory))
    x[:, 3:] = 9.0
    after = array(stack(x, memory))
    assert_allclose(after[:, :3], before[:, :3], rtol=1e-5, atol=1e-6)
    assert np.abs(after[:, 3:] - before[:, 3:]).max() > 1e-3


CROSS = {
    "plain": {},
    "placed": {"position": positions.RoPE()},
    "window": {"scope": Window(2, 2) | Prefix(1)},
}


@pytest.mark.parametrize("cross", CROSS)
@pytest.mark.parametrize("pre_norm", NORMS.values(), ids=NORMS)
def test_steps_are_the_full_call(pre_norm, cross):
    stack = decoder(pre_norm, **CROSS[cross])
    x, memory = numbers(BATCH, LENGTH, WIDTH), numbers(BATCH, MEMORY, 7, seed=1)
    keep = np.arange(MEMORY) < np.array([[MEMORY], [3]])
    options = {"memory_mask": keep, "return_attention_scores": True}
    expected, expected_weights = stack(x, memory, **options)
    prepared = stack.prepare(keras.ops.convert_to_tensor(memory), keep)
    state = stack.initial_state(prepared, BATCH, LENGTH)
    for leaf in keras.tree.flatten([prepared, state]):
        assert leaf.shape[0] == BATCH
    step = at_once(stack.step)
    for at in range(LENGTH):
        token = keras.ops.convert_to_tensor(x[:, at])
        output, weights, state = step(token, prepared, state)
        assert_allclose(array(output), array(expected)[:, at], rtol=1e-4, atol=1e-5)
        wanted = array(expected_weights)[:, :, at]
        assert_allclose(array(weights), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cross", [None, *CROSS])
def test_a_block_goes_on_from_its_state(cross):
    read = None if cross is None else heads(**CROSS[cross])
    block = TransformerDecoderBlock(heads(position=positions.ALiBi()), 12, read)
    x = numbers(BATCH, LENGTH, WIDTH)
    memory = () if cross is None else (numbers(BATCH, MEMORY, 7, seed=1),)
    expected, expected_weights = block(x, *memory, return_attention_scores=True)
    prepared = block.prepare(*memory) if memory else {}
    state = block.initial_state(prepared, BATCH, LENGTH)
    ask = at_once(block)
    first, state = ask(x[:, :3], *memory, state=state)
    then, state = ask(x[:, 3:5], *memory, state=state)
    found = np.concatenate([array(first), array(then)], axis=1)
    assert_allclose(found, array(expected)[:, :5], rtol=1e-4, atol=1e-5)
    last = keras.ops.convert_to_tensor(x[:, 5])
    last, weights, _ = at_once(block.step)(last, prepared, state)
    assert_allclose(array(last), array(expected)[:, 5], rtol=1e-4, atol=1e-5)
    wanted = array(expected_weights)[:, :, 5]
    assert_allclose(array(weights), wanted, rtol=1e-4, atol=1e-5)


ATTENTIONS = {
    "additive": lambda: layers.AdditiveAttention(6),
    "dot": layers.DotAttention,
    "general": layers.GeneralAttention,
    "grouped": lambda: layers.GroupedQueryAttention(2, 4, 2),
    "entmax": lambda: heads(normalizer="entmax15"),
}


@pytest.mark.parametrize("name", ATTENTIONS)
def test_any_attention_fits(name):
    block = TransformerDecoderBlock(ATTENTIONS[name](), 12, heads())
    x, memory = numbers(BATCH, LENGTH, WIDTH), numbers(BATCH, MEMORY, 7, seed=1)
    expected = array(block(x, memory))
    prepared = block.prepare(keras.ops.convert_to_tensor(memory))
    state = block.initial_state(prepared, BATCH, LENGTH)
    step = at_once(block.step)
    for at in range(LENGTH):
        token = keras.ops.convert_to_tensor(x[:, at])
        output, _, state = step(token, prepared, state)
        assert_allclose(array(output), expected[:, at], rtol=1e-4, atol=1e-5)


def test_norms_are_like_the_one_that_was_given():
    norm = keras.layers.RMSNormalization(epsilon=1e-3)
    block = TransformerEncoderBlock(heads(), FeedForward(12, "gelu"), norm=norm)
    block(numbers(BATCH, LENGTH, WIDTH))
    for each in (block.attention_norm, block.feed_forward_norm):
        assert isinstance(each, keras.layers.RMSNormalization)
        assert each.epsilon == 1e-3 and each is not norm
    assert len({id(weight) for weight in block.weights}) == len(block.weights)


def test_saving_keeps_everything(tmp_path):
    options = {
        "norm": keras.layers.RMSNormalization(epsilon=1e-3),
        "pre_norm": False,
        "dropout": 0.2,
    }
    reader = TransformerEncoder(
        [TransformerEncoderBlock(heads(), FeedForward(5, "gelu"), **options)]
    )
    writer = TransformerDecoder(
        [
            TransformerDecoderBlock(heads(), 5, heads(), **options),
            TransformerDecoderBlock(heads(), 5, heads(), **options),
        ],
        aligned_by=-2,
    )
    source, target = keras.Input((None, WIDTH)), keras.Input((None, WIDTH))
    model = keras.Model([source, target], writer(target, reader(source)))
    inputs = [numbers(BATCH, MEMORY, WIDTH), numbers(BATCH, LENGTH, WIDTH, seed=1)]
    expected = array(model(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_array_equal(array(loaded(inputs)), expected)
    for part in (reader, writer):
        again = type(part).from_config(part.get_config())
        assert again.get_config() == part.get_config()


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_steps_are_the_full_call(dtype):
    block = TransformerDecoderBlock(
        heads(dtype=dtype), 12, heads(dtype=dtype), dtype=dtype
    )
    x, memory = numbers(BATCH, LENGTH, WIDTH), numbers(BATCH, MEMORY, 7, seed=1)
    expected = array(keras.ops.cast(block(x, memory), "float32"))
    prepared = block.prepare(keras.ops.convert_to_tensor(memory))
    state = block.initial_state(prepared, BATCH, LENGTH)
    for at in range(LENGTH):
        token = keras.ops.cast(keras.ops.convert_to_tensor(x[:, at]), dtype[6:])
        output, _, state = block.step(token, prepared, state)
        found = array(keras.ops.cast(output, "float32"))
        assert_allclose(found, expected[:, at], rtol=5e-2, atol=5e-2)


def built(cross_attention):
    """A decoder block that knows its shapes."""
    block = TransformerDecoderBlock(heads(), 4, cross_attention)
    shape = (None, None, WIDTH)
    block.build(shape, shape)
    return block


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: TransformerEncoderBlock("dot", 4), "attention must be an attention"),
        (
            lambda: TransformerEncoderBlock(layers.AttentionPooling(), 4),
            "attention must be an attention",
        ),
        (lambda: TransformerEncoderBlock(heads(), 0), "units must be a positive"),
        (lambda: TransformerEncoderBlock(heads(), None), "feed_forward must be a"),
        (lambda: TransformerDecoderBlock(heads(), 4, 3), "cross_attention must be"),
        (lambda: TransformerEncoder([]), "blocks must be a list"),
        (lambda: TransformerDecoder([heads()]), "blocks must be a list"),
        (
            lambda: TransformerDecoder([TransformerDecoderBlock(heads(), 4)], 1),
            "aligned_by must number",
        ),
        (
            lambda: TransformerEncoderBlock(heads(output_shape=5), 4)(
                numbers(BATCH, LENGTH, WIDTH)
            ),
            "attention must give the width it reads, 8",
        ),
        (
            lambda: TransformerDecoderBlock(heads(), 4, heads())(
                numbers(BATCH, LENGTH, WIDTH)
            ),
            "memory must be given",
        ),
        (
            lambda: Transformer(
                TransformerEncoder([TransformerEncoderBlock(heads(), 4)]),
                TransformerDecoder([TransformerDecoderBlock(heads(), 4)]),
                5,
                5,
                WIDTH,
            ),
            "decoder must have a cross_attention",
        ),
        (
            lambda: built(heads())(numbers(BATCH, LENGTH, WIDTH)),
            "memory must be given",
        ),
        (
            lambda: TransformerDecoderBlock(heads(), 4)(
                numbers(BATCH, LENGTH, WIDTH), numbers(BATCH, LENGTH, WIDTH)
            ),
            "memory and its masks must be None",
        ),
        (
            lambda: built(None)(
                numbers(BATCH, 1, WIDTH),
                use_causal_mask=False,
                state=built(None).initial_state({}, BATCH, LENGTH),
            ),
            "use_causal_mask must be True",
        ),
        (
            lambda: built(None)(numbers(BATCH, 1, WIDTH), state={}),
            r"state must be what initial_state\(memory, .*Got \[\]",
        ),
        (
            lambda: built(None).step(numbers(BATCH, WIDTH), {}, {}),
            "state must be what initial_state",
        ),
        (
            lambda: built(None)(
                numbers(BATCH, 1, WIDTH), state={"cache": {}, "cross": {}}
            ),
            "state must be a cache",
        ),
    ],
)
def test_what_does_not_fit_is_told(make, named):  # also once it is built
    with pytest.raises(ValueError, match=named):
        make()


def test_symbolic_blocks_and_stacks_give_their_weights():
    x, memory = numbers(BATCH, LENGTH, WIDTH), numbers(BATCH, MEMORY, 5)
    asked = {"return_attention_scores": True}
    for layer, inputs in (
        (TransformerEncoderBlock(heads(), 4), [x]),
        (TransformerDecoderBlock(heads(), 4, heads()), [x, memory]),
        (TransformerEncoder([TransformerEncoderBlock(heads(), 4)]), [x]),
        (TransformerDecoder([TransformerDecoderBlock(heads(), 4)]), [x]),
    ):
        symbols = [keras.Input(each.shape[1:]) for each in inputs]
        told, real = layer(*symbols, **asked), layer(*inputs, **asked)
        shapes = [each.shape[1:] for each in keras.tree.flatten(told)]
        assert shapes == [tuple(e.shape)[1:] for e in keras.tree.flatten(real)]
        found = keras.tree.flatten(keras.Model(symbols, told)(inputs))
        for one, other in zip(found, keras.tree.flatten(real), strict=True):
            assert_allclose(array(one), array(other), rtol=1e-5, atol=1e-6)


def test_a_symbolic_block_gives_its_cache():
    block = built(None)
    state = block.initial_state({}, BATCH, LENGTH)
    x = numbers(BATCH, 1, WIDTH)
    told = keras.tree.flatten(block(keras.KerasTensor(x.shape), state=state))
    real = keras.tree.flatten(block(x, state=state))
    assert [each.shape for each in told] == [tuple(each.shape) for each in real]


def test_any_callable_starts_a_feed_forward_network():
    def ones(shape, dtype=None):
        return keras.ops.ones(shape, dtype)

    feed_forward = FeedForward(3, kernel_initializer=ones)
    feed_forward.build((None, None, 2))
    assert (array(feed_forward.out.kernel) == 1).all()
