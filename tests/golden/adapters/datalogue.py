"""datalogue/keras-attention: a decoder whose soft output is its next input."""

from keras import ops

from regard.layers import AdditiveAttention
from tests.golden.tools import Applied, adapts


@adapts("datalogue.AttentionDecoder")
def attention_decoder(case):
    """The state before the step asks; as many steps as there are inputs.

    ``activation`` is not used there. With ``return_probabilities`` the output is the
    weights.
    """
    units, size = case.constructor["units"], case.constructor["output_dim"]
    shows_weights = bool(case.constructor.get("return_probabilities"))
    attention = Applied(AdditiveAttention(units, use_bias=True))

    def look(t, state):
        weights = [t["w.W_a"], t["w.U_a"], ops.reshape(t["w.V_a"], (-1,)), t["w.b_a"]]
        context, found = attention(
            weights, state[:, None], t["in.x"], return_attention_scores=True
        )
        return context[:, 0], found[:, 0]

    def mixed(t, name, output, state, context):
        total = ops.matmul(output, t[f"w.W_{name}"]) + ops.matmul(
            state, t[f"w.U_{name}"]
        )
        return total + ops.matmul(context, t[f"w.C_{name}"]) + t[f"w.b_{name}"]

    def run(t):
        state = ops.tanh(ops.matmul(t["in.x"][:, 0], t["w.W_s"]))
        output, outputs, maps = ops.zeros((state.shape[0], size)), [], []
        for _ in range(t["in.x"].shape[1]):
            context, found = look(t, state)
            reset = ops.sigmoid(mixed(t, "r", output, state, context))
            update = ops.sigmoid(mixed(t, "z", output, state, context))
            new = ops.tanh(mixed(t, "p", output, reset * state, context))
            following = ops.softmax(mixed(t, "o", output, state, context))
            state, output = (1 - update) * state + update * new, following
            outputs.append(output)
            maps.append(found)
        attention_map, answer = ops.stack(maps, axis=1), ops.stack(outputs, axis=1)
        return {
            "out.y": attention_map if shows_weights else answer,
            "out.attention": attention_map,
        }

    return run
