"""torch's module and blocks of transformers."""

from importlib import import_module

import keras
import numpy as np
import pytest
from numpy.testing import assert_allclose

import regard

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(6)
QUERY = RNG.normal(size=(2, 3, 8)).astype("float32")


def numpy(tensor):
    if isinstance(tensor, torch.Tensor):
        return tensor.detach().numpy()
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("widths", [(None, None), (7, 6), (6, 6)], ids=str)
def test_multi_head_attention(bias, widths):
    theirs = torch.nn.MultiheadAttention(
        8, 2, bias=bias, kdim=widths[0], vdim=widths[1], batch_first=True
    )
    with torch.no_grad():
        for each in theirs.parameters():
            each.normal_()
    key = RNG.normal(size=(2, 5, widths[0] or 8)).astype("float32")
    value = RNG.normal(size=(2, 5, widths[1] or 8)).astype("float32")
    ignored = np.array([[0, 0, 1, 1, 0], [0, 0, 0, 0, 1]], bool)
    given = [torch.from_numpy(each) for each in (QUERY, key, value)]
    expected, scores = theirs(
        *given,
        key_padding_mask=torch.from_numpy(ignored),
        average_attn_weights=False,
    )
    ours = regard.convert.from_torch(theirs)
    found, weights = ours(
        QUERY, value, key, value_mask=~ignored, return_attention_scores=True
    )
    assert_allclose(numpy(weights), numpy(scores), rtol=1e-4, atol=1e-5)
    assert_allclose(numpy(found), numpy(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("decoder", [False, True])
@pytest.mark.parametrize("has_bias", [False, True])
def test_t5(decoder, has_bias):
    transformers = pytest.importorskip("transformers")
    from transformers.models.t5.modeling_t5 import T5Attention

    config = transformers.T5Config(
        d_model=8, d_kv=3, num_heads=2, is_decoder=decoder, dropout_rate=0.0
    )
    theirs = T5Attention(config, has_relative_attention_bias=has_bias).eval()
    with torch.no_grad():
        for each in theirs.parameters():
            each.normal_()
    length = 40  # far enough for the wide buckets
    x = RNG.normal(size=(2, length, 8)).astype("float32")
    causal = np.tril(np.ones((length, length), bool))
    mask = torch.zeros(1, 1, length, length)
    if decoder:
        mask = mask.masked_fill(~torch.from_numpy(causal), torch.finfo().min)
    expected = theirs(torch.from_numpy(x), mask=mask)[0]
    ours = regard.convert.from_transformers(theirs)
    assert_allclose(
        numpy(ours(x, use_causal_mask=decoder)),
        numpy(expected),
        rtol=1e-4,
        atol=1e-4,
    )


SCALINGS = {
    "default": {},
    "linear": {"factor": 4.0},
    "yarn": {"factor": 4.0, "original_max_position_embeddings": 16},
    "llama3": {
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 16,
    },
}


YARN = {
    "rope_type": "yarn",
    "factor": 4.0,
    "original_max_position_embeddings": 16,
    "mscale": 0.7,
    "mscale_all_dim": 1.0,
}


@pytest.mark.parametrize(
    "rope", [{"rope_type": "default"}, YARN], ids=["plain", "yarn"]
)
@pytest.mark.parametrize("rank", [None, 6])
@pytest.mark.parametrize("model", ["DeepseekV2", "DeepseekV3"])
def test_latent_heads(model, rank, rope):
    transformers = pytest.importorskip("transformers")
    folder = model.lower().replace("v", "_v")
    module = import_module(f"transformers.models.{folder}.modeling_{folder}")
    config = getattr(transformers, f"{model}Config")(
        hidden_size=16,
        num_attention_heads=2,
        num_key_value_heads=2,
        q_lora_rank=rank,
        kv_lora_rank=6,
        qk_nope_head_dim=4,
        qk_rope_head_dim=8,
        v_head_dim=3,
        attention_bias=model.endswith("3"),
        max_position_embeddings=64,
        rope_parameters={"rope_theta": 1000.0, **rope},
    )
    config._attn_implementation = "eager"
    theirs = randomized(getattr(module, f"{model}Attention")(config, 0))
    x, mask = sequence(), causal(24)
    given = torch.from_numpy(x)
    rotary = getattr(module, f"{model}RotaryEmbedding")(config)
    places = rotary(given, torch.arange(24)[None])
    expected = theirs(given, position_embeddings=places, attention_mask=mask)[0]
    ours = regard.convert.from_transformers(theirs)
    found = ours(x, use_causal_mask=True)
    assert_allclose(numpy(found), numpy(expected), rtol=1e-4, atol=1e-4)


def test_windows_and_global_tokens():
    transformers = pytest.importorskip("transformers")
    from transformers.models.longformer.modeling_longformer import (
        LongformerSelfAttention,
    )

    config = transformers.LongformerConfig(
        hidden_size=16,
        num_attention_heads=2,
        attention_window=[4],
        attention_probs_dropout_prob=0.0,
    )
    theirs = randomized(LongformerSelfAttention(config, 0))
    x, chosen = sequence(), np.zeros((2, 24), bool)
    chosen[0, [0, 5]] = chosen[1, [0, 3]] = True
    mask = torch.from_numpy(np.where(chosen, 10000.0, 0.0).astype("float32"))
    expected = theirs(
        torch.from_numpy(x),
        attention_mask=mask,
        is_index_masked=mask < 0,
        is_index_global_attn=mask > 0,
        is_global_attn=True,
    )[0]
    found = regard.convert.from_transformers(theirs)(x, global_mask=chosen)
    assert_allclose(numpy(found), numpy(expected), rtol=1e-4, atol=1e-4)


def randomized(module):
    with torch.no_grad():
        for each in module.parameters():
            each.normal_(std=0.4)
    return module.eval()


def sequence(length=24):
    return RNG.normal(size=(2, length, 16)).astype("float32")


def causal(length):
    """What transformers adds to scores, (1, 1, T, T)."""
    hidden = ~torch.from_numpy(np.tril(np.ones((length, length), bool)))
    return torch.zeros(1, 1, length, length).masked_fill(hidden, torch.finfo().min)


@pytest.mark.parametrize("kind", SCALINGS)
@pytest.mark.parametrize("model", ["Llama", "Mistral", "Qwen2"])
def test_grouped_queries_with_rotary_positions(model, kind):
    transformers = pytest.importorskip("transformers")
    module = import_module(
        f"transformers.models.{model.lower()}.modeling_{model.lower()}"
    )
    config = getattr(transformers, f"{model}Config")(
        hidden_size=16,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        rope_parameters={"rope_type": kind, "rope_theta": 1000.0, **SCALINGS[kind]},
    )
    config._attn_implementation = "eager"
    theirs = randomized(getattr(module, f"{model}Attention")(config, 0))
    x, mask = sequence(), causal(24)
    places = torch.arange(24)[None]
    rotary = getattr(module, f"{model}RotaryEmbedding")(config)
    given = torch.from_numpy(x)
    expected = theirs(given, rotary(given, places), mask)[0]
    ours = regard.convert.from_transformers(theirs)
    found = ours(x, use_causal_mask=True)
    assert_allclose(numpy(found), numpy(expected), rtol=1e-4, atol=1e-4)


def test_keys_of_the_module_itself_are_refused():
    module = torch.nn.MultiheadAttention(8, 2, add_zero_attn=True)
    with pytest.raises(ValueError, match="add_zero_attn=False"):
        regard.convert.from_torch(module)
    with pytest.raises(ValueError, match=r"MultiheadAttention\. Got Linear"):
        regard.convert.from_torch(torch.nn.Linear(2, 2))
