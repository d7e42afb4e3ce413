"""Sentences and documents: HAN, structured self-attention, plain means."""

from keras import ops

from regard.layers import AttentionPooling, ContextPooling, StructuredPooling
from regard.losses import hop_penalty
from tests.golden.recurrences import bidirectional, recurrent
from tests.golden.tools import Applied, adapts, linear, refuse_options, within


def pooled(t, layer, names, inputs, keep):
    """One level: ``names`` are the linear layer and the context vector."""
    hidden, context = names
    weights = [
        ops.transpose(t[f"{hidden}.weight"]),
        t[f"{hidden}.bias"],
        t[f"{context}.weight"][0],
    ]
    return layer(weights, inputs, mask=keep, return_attention_scores=True)


def embedded(t, name, words):
    return ops.take(t[name], ops.cast(words, "int32"), axis=0)


@adapts("han_pytorch.WordAttention")
def word_attention(case):
    refuse_options(case, dropout=(0.0,))
    layer = Applied(ContextPooling(case.arrays["w.word_attention.weight"].shape[0]))
    longest = int(case.arrays["in.words_per_sentence"].max())

    def run(t):
        words = embedded(t, "w.embeddings.weight", t["in.sentences"][:, :longest])
        keep = within(t["in.words_per_sentence"], longest)
        states = bidirectional(t, "w.word_rnn", "gru", words, keep)
        names = "w.word_attention", "w.word_context_vector"
        sentence, attention = pooled(t, layer, names, states, keep)
        return {
            "out.sentence": sentence,
            "out.attention": attention,
            "out.rnn_outputs": states,
        }

    return run


@adapts("han_pytorch.SentenceAttention")
def sentence_attention(case):
    refuse_options(case, dropout=(0.0,))
    prefix = "w.word_attention."
    word_units = case.arrays[f"{prefix}word_attention.weight"].shape[0]
    words = Applied(ContextPooling(word_units))
    units = case.arrays["w.sentence_attention.weight"].shape[0]
    sentences = Applied(ContextPooling(units))
    count = int(case.arrays["in.sentences_per_document"].max())
    longest = int(case.arrays["in.words_per_sentence"].max())

    def run(t):
        documents = t["in.documents"][:, :count, :longest]
        batch = documents.shape[0]
        own = {f"w.{k.removeprefix(prefix)}": v for k, v in t.items() if prefix in k}
        lines = embedded(own, "w.embeddings.weight", documents)
        lines = ops.reshape(lines, (batch * count, longest, -1))
        real = within(t["in.sentences_per_document"], count)
        lengths = ops.where(real, ops.cast(t["in.words_per_sentence"], "int32"), 0)
        keep = within(ops.reshape(lengths[:, :count], (-1,)), longest)
        states = bidirectional(own, "w.word_rnn", "gru", lines, keep)
        names = "w.word_attention", "w.word_context_vector"
        found, by_word = pooled(own, words, names, states, keep)
        found = ops.reshape(found, (batch, count, -1))
        states = bidirectional(t, "w.sentence_rnn", "gru", found, real)
        names = "w.sentence_attention", "w.sentence_context_vector"
        document, by_sentence = pooled(t, sentences, names, states, real)
        return {
            "out.document": document,
            "out.word_attention": ops.reshape(by_word, (batch, count, longest)),
            "out.sentence_attention": by_sentence,
        }

    return run


@adapts("structured_self_attention")
def structured_self_attention(case):
    """An LSTM, the attention, the mean of its rows, a classifier."""
    options = case.constructor
    layer = Applied(StructuredPooling(options["d_a"], options["r"], use_bias=True))

    def run(t):
        words = embedded(t, "w.embeddings.weight", t["in.tokens"])
        states = recurrent(t, "w.lstm/l0", "lstm", words)
        weights = []
        for name in ("w.linear_first", "w.linear_second"):
            weights += [ops.transpose(t[f"{name}.weight"]), t[f"{name}.bias"]]
        rows, attention = layer(weights, states, return_attention_scores=True)
        scores = linear(t, "w.linear_final", ops.mean(rows, axis=1))
        output = ops.log_softmax(scores) if options.get("type") else ops.sigmoid(scores)
        return {
            "out.y": output,
            "out.attention": attention,
            "out.lstm_outputs": states,
        }

    return run


@adapts("uzaymacar.SelfAttention")
def self_attention(case):
    options = case.constructor
    layer = Applied(StructuredPooling(options["size"], options["num_hops"]))
    coefficient = options.get("penalty_coefficient", 0.1)

    def run(t):
        weights = [ops.transpose(t["w.W1"]), ops.transpose(t["w.W2"])]
        rows, attention = layer(weights, t["in.x"], return_attention_scores=True)
        found = {
            "out.embedding": ops.reshape(rows, (rows.shape[0], -1)),
            "out.attention": attention,
        }
        if options.get("use_penalization", True):
            overlap = ops.sqrt(ops.sum(hop_penalty(attention)))
            found["out.penalty"] = coefficient * overlap
        return found

    return run


@adapts("keras_utilities.MeanOverTime")
def mean_over_time(case):
    """Attention whose vector is zero weighs all that is real alike."""
    layer = Applied(AttentionPooling(use_bias=False))

    def run(t):
        kernel = ops.zeros(t["in.x"].shape[-1:])
        return {"out.pooled": layer([kernel], t["in.x"], mask=t.get("in.mask"))}

    return run
