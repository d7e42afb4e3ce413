"""TensorFlow Addons' samplers and decoders, without state on any layer."""

import json

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose, assert_array_equal

from regard.compat import tfa_seq2seq as tfa
from tests.invariants.tools import numpy, random

X, MEMORY = random(1, 2, 4, 5), random(2, 2, 6, 7)
START, END, WORDS = np.array([1, 3], "int32"), 2, 9
LENGTHS = np.array([3, 6], "int32")


def built(seed=0):
    """A wrapper, an output layer and an embedding with random weights."""
    wrapper = tfa.AttentionWrapper(
        keras.layers.GRUCell(3), tfa.BahdanauAttention(6), 4, alignment_history=True
    )
    output, embedding = keras.layers.Dense(WORDS), keras.layers.Embedding(WORDS, 5)
    output(wrapper(embedding(START[:, None]), MEMORY))
    rng = np.random.default_rng(seed)
    for layer in (wrapper, output, embedding):
        for weight in layer.trainable_variables:
            weight.assign(rng.normal(size=weight.shape))
    return wrapper, output, embedding


def test_a_teacher_leads_through_the_inputs():
    wrapper, output, _ = built()
    decoder = tfa.BasicDecoder(wrapper, tfa.TrainingSampler(), output)
    result, state, lengths = decoder(
        X, MEMORY, memory_sequence_length=LENGTHS, sequence_length=np.array([2, 4])
    )
    expected = numpy(output(wrapper(X, MEMORY, memory_sequence_length=LENGTHS)))
    assert_allclose(numpy(result.rnn_output), expected, rtol=1e-4, atol=1e-5)
    assert_array_equal(numpy(result.sample_id), expected.argmax(-1))
    assert_array_equal(numpy(lengths), [2, 4])
    assert state.alignment_history[0].shape == (2, 4, 6)
    assert (numpy(state.alignment_history[0])[0, :, 3:] == 0).all()


def test_a_finished_example_can_be_held():
    wrapper, output, _ = built()
    decoder = tfa.BasicDecoder(
        wrapper, tfa.TrainingSampler(), output, impute_finished=True
    )
    result, state, _ = decoder(X, MEMORY, sequence_length=np.array([2, 4], "int32"))
    assert_array_equal(numpy(result.rnn_output)[0, 2:], np.zeros((2, WORDS)))
    _, short, _ = decoder(X[:, :2], MEMORY)
    assert_allclose(
        numpy(state.cell_state[0])[0], numpy(short.cell_state[0])[0], atol=1e-6
    )


def greedy_by_hand(steps):
    wrapper, output, embedding = built()
    memory = wrapper.prepare(ops.convert_to_tensor(MEMORY))
    state, ids, rows = wrapper.get_initial_state(memory), START, []
    for _ in range(steps):
        words = embedding(ops.convert_to_tensor(ids))
        answer, state = wrapper.step(words, memory, state)
        logits = numpy(output(answer))
        ids = logits.argmax(-1).astype("int32")
        rows.append(logits)
    return np.stack(rows, 1)


def test_greedy_decoding_reads_its_own_words():
    wrapper, output, embedding = built()
    expected = greedy_by_hand(6)
    options = {"start_tokens": START, "end_token": END}
    by_layer = tfa.BasicDecoder(
        wrapper, tfa.GreedyEmbeddingSampler(embedding), output, maximum_iterations=6
    )
    by_matrix = tfa.BasicDecoder(
        wrapper, tfa.GreedyEmbeddingSampler(), output, maximum_iterations=6
    )
    matrix = numpy(embedding.embeddings.value)
    for decoder, first in ((by_layer, None), (by_matrix, matrix)):
        result, _, lengths = decoder(first, MEMORY, **options)
        assert_allclose(numpy(result.rnn_output), expected, rtol=1e-4, atol=1e-4)
        ids = numpy(result.sample_id)
        for row, length in zip(ids, numpy(lengths), strict=True):
            ends = np.flatnonzero(row == END)
            assert length == (ends[0] + 1 if len(ends) else 6)
    with pytest.raises(ValueError, match="inputs must be a matrix of embeddings"):
        by_matrix(None, MEMORY, **options)
    with pytest.raises(ValueError, match="start_tokens must be given"):
        by_layer(None, MEMORY)


def test_sampling_follows_the_distribution_and_its_seed():
    wrapper, output, embedding = built()
    output.kernel.assign(np.zeros((4, WORDS)))
    output.bias.assign(np.log([0.05, 0.5, 0.05, 0.3] + [0.02] * 5))
    many, memory = np.ones(200, "int32"), random(9, 200, 6, 7)

    def drawn(**options):
        sampler = tfa.SampleEmbeddingSampler(embedding, **options)
        decoder = tfa.BasicDecoder(wrapper, sampler, output, maximum_iterations=3)
        return numpy(decoder(None, memory, start_tokens=many)[0].sample_id)

    ids = drawn(seed=3)
    shares = np.bincount(ids.reshape(-1), minlength=WORDS) / ids.size
    assert_allclose(shares[[1, 3]], [0.5, 0.3], atol=0.08)
    assert_array_equal(drawn(seed=3), ids)
    assert (drawn(softmax_temperature=0.01) == 1).all()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_scheduled_words_are_the_teachers_or_its_own(share):
    wrapper, output, embedding = built()
    sampler = tfa.ScheduledEmbeddingTrainingSampler(share, embedding, seed=1)
    decoder = tfa.BasicDecoder(wrapper, sampler, output)
    ids = numpy(decoder(X, MEMORY)[0].sample_id)
    assert ((ids == -1) if share == 0 else (ids >= 0)).all()
    forced = tfa.BasicDecoder(wrapper, tfa.TrainingSampler(), output)
    found = numpy(decoder(X, MEMORY)[0].rnn_output)
    expected = numpy(forced(X, MEMORY)[0].rnn_output)
    assert np.allclose(found, expected, atol=1e-5) == (share == 0)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_scheduled_outputs_are_read_themselves(share):
    cell, output = keras.layers.GRUCell(3), keras.layers.Dense(5)
    sampler = tfa.ScheduledOutputTrainingSampler(share)
    decoder = tfa.BasicDecoder(cell, sampler, output)
    result, state, _ = decoder(X)
    assert (numpy(result.sample_id) == share).all()
    states, inputs = [ops.zeros((2, 3))], ops.convert_to_tensor(X[:, 0])
    for i in range(4):
        answer, states = cell(inputs, states)
        answer = output(answer)
        assert_allclose(numpy(result.rnn_output)[:, i], numpy(answer), atol=1e-5)
        inputs = answer if share else ops.convert_to_tensor(X[:, min(i + 1, 3)])
    assert_allclose(numpy(state[0]), numpy(states[0]), atol=1e-5)


@keras.saving.register_keras_serializable("tests")
def half(outputs):
    return outputs * 0.5


@keras.saving.register_keras_serializable("tests")
def negative(samples):
    return samples[:, 0] < 0


def test_inference_with_functions_of_ones_own():
    sampler = tfa.InferenceSampler(half, (5,), "float32", negative)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(sampler)))
    sampler = keras.saving.deserialize_keras_object(config)
    decoder = tfa.BasicDecoder(keras.layers.GRUCell(5), sampler, maximum_iterations=7)
    result, _, lengths = decoder(X[:, 0])
    assert_allclose(numpy(result.sample_id), 0.5 * numpy(result.rnn_output), atol=1e-6)
    for row, length in zip(numpy(result.sample_id), numpy(lengths), strict=True):
        ends = np.flatnonzero(row[:, 0] < 0)
        assert length == (ends[0] + 1 if len(ends) else 7)


def test_a_beam_of_one_is_greedy_and_a_wide_one_finds_better():
    wrapper, output, embedding = built()
    greedy = tfa.BasicDecoder(
        wrapper, tfa.GreedyEmbeddingSampler(embedding), output, maximum_iterations=6
    )
    options = {"start_tokens": START, "end_token": END}
    options["memory_sequence_length"] = LENGTHS
    ids = numpy(greedy(None, MEMORY, **options)[0].sample_id)
    lengths = numpy(greedy(None, MEMORY, **options)[2])
    best = []
    for width in (1, 4):
        decoder = tfa.BeamSearchDecoder(
            wrapper, width, embedding, output, maximum_iterations=6
        )
        found, alignments, taken = decoder(None, MEMORY, **options)
        assert found.predicted_ids.shape == (2, 6, width)
        assert alignments.shape == (2, width, 6, 6)
        assert (numpy(alignments)[0, :, :, 3:] == 0).all()
        scores = numpy(found.beam_search_decoder_output.scores)
        assert (np.diff(scores, axis=1) <= 1e-6).all()
        best.append(scores[:, 0])
        if width == 1:
            for b, length in enumerate(lengths):
                assert numpy(taken)[b, 0] == length
                predicted = numpy(found.predicted_ids)[b, :, 0]
                assert_array_equal(predicted[:length], ids[b, :length])
                assert (predicted[length:] == END).all()
    assert (best[1] >= best[0] - 1e-5).all()


def test_the_score_of_a_hypothesis_is_its_log_probability():
    wrapper, output, embedding = built()
    decoder = tfa.BeamSearchDecoder(
        wrapper, 3, embedding, output, 0.7, maximum_iterations=5
    )
    found, _, lengths = decoder(None, MEMORY, start_tokens=START, end_token=END)
    ids, lengths = numpy(found.predicted_ids), numpy(lengths)
    teacher = tfa.BasicDecoder(wrapper, tfa.TrainingSampler(), output)
    for k in range(3):
        words = np.concatenate([START[:, None], ids[:, :-1, k]], axis=1)
        logits = numpy(teacher(embedding(words), MEMORY)[0].rnn_output)
        logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        for b in range(2):
            n = lengths[b, k]
            total = sum(logs[b, t, ids[b, t, k]] for t in range(n))
            score = total / ((5 + n) / 6) ** 0.7
            scores = found.beam_search_decoder_output
            assert_allclose(numpy(scores.log_probs)[b, k], total, atol=1e-4)
            assert_allclose(numpy(scores.scores)[b, k], score, atol=1e-4)


def test_a_training_decoder_trains_saves_and_loads(tmp_path):
    inputs, memory = keras.Input((None, 5)), keras.Input((None, 7))
    embedding = keras.layers.Embedding(WORDS, 5)
    decoder = tfa.BasicDecoder(
        tfa.AttentionWrapper(keras.layers.LSTMCell(3), tfa.LuongAttention(3), 4),
        tfa.ScheduledEmbeddingTrainingSampler(0.5, embedding, seed=1),
        keras.layers.Dense(WORDS),
    )
    model = keras.Model([inputs, memory], decoder(inputs, memory)[0][0])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = [numpy(each.value) for each in decoder.trainable_variables]
    assert len(before) == 8
    model.fit([X, MEMORY], np.ones((2, 4), "int32"), verbose=0)
    moved = [
        not np.array_equal(old, numpy(new.value))
        for old, new in zip(before, decoder.trainable_variables, strict=True)
    ]
    assert all(moved)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for old, new in zip(model.get_weights(), again.get_weights(), strict=True):
        assert_array_equal(old, new)


def test_what_cannot_be_is_refused():
    wrapper, output, embedding = built()
    with pytest.raises(ValueError, match="maximum_iterations must be given"):
        tfa.BasicDecoder(wrapper, tfa.GreedyEmbeddingSampler(embedding), output)
    with pytest.raises(ValueError, match="sampler must be a sampler"):
        tfa.BasicDecoder(wrapper, embedding)
    with pytest.raises(ValueError, match="memory must be given"):
        tfa.BasicDecoder(wrapper, tfa.TrainingSampler())(X)
    for wrong in (-0.1, 1.5):
        with pytest.raises(ValueError, match="sampling_probability must lie"):
            tfa.ScheduledOutputTrainingSampler(wrong)
    with pytest.raises(ValueError, match="time_major must be False"):
        tfa.TrainingSampler(time_major=True)
    with pytest.raises(ValueError, match="softmax_temperature must be above 0"):
        tfa.SampleEmbeddingSampler(softmax_temperature=0)
    with pytest.raises(ValueError, match="coverage_beta must be 0 or more"):
        tfa.BeamSearchDecoder(wrapper, 2, coverage_penalty_weight=-1)
