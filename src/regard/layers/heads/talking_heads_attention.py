"""Heads that talk before and after they look."""

from functools import partial

import keras
from keras import ops

from regard.core import scores
from regard.core.attend import Recipe
from regard.core.scores import widen
from regard.layers.heads.blended import BlendedHeads


@keras.saving.register_keras_serializable("regard")
class TalkingHeadsAttention(BlendedHeads):
    r"""Heads mix their scores before normalizing, and their weights after.

    $a_h = \sum_g W_{gh}\,\mathrm{normalizer}\big(\sum_f L_{fg}\, s_f\big)$

    $L$ and $W$ (H, H) start as identities, where this is multi-head attention. The mask
    holds after each of the two: a key that a head may not see gets nothing from heads
    that may. Bias and positions are added to mixed scores. Rows of weights need not sum
    to one and may be negative. Output (B, T, Dq) or (B, T, output_shape); weights
    (B, H, T, S), those that the values are mixed with.

    Shazeer, Lan, Cheng, Ding, Hou 2020, "Talking-Heads Attention", arXiv:2003.02436.

    Args:
        num_heads, key_dim, value_dim, use_bias, output_shape: as in
            ``MultiHeadAttention``.
        mix_scores, mix_weights: which of L and W there is.
        options: of all layers with heads (use_gate, scale, query_key_norm, ...), and
            what every attention takes.

    Raises:
        ValueError: where neither is mixed, and as ``MultiHeadAttention`` does.
    """

    mechanism = "talking_heads"

    def __init__(
        self, num_heads, key_dim, mix_scores=True, mix_weights=True, **options
    ):
        super().__init__(num_heads, key_dim, **options)
        if not (mix_scores or mix_weights):
            raise ValueError(
                "mix_scores or mix_weights must be True. Got False for both, which is "
                "MultiHeadAttention."
            )
        self.mix_scores, self.mix_weights = bool(mix_scores), bool(mix_weights)

    def add_weights(self, query_width, key_width, value_width):
        super().add_weights(query_width, key_width, value_width)
        shape, start = (self.num_heads, self.num_heads), keras.initializers.Identity
        if self.mix_scores:
            self.score_mix = self.add_weight(shape, start(), name="score_mix")
        if self.mix_weights:
            self.weight_mix = self.add_weight(shape, start(), name="weight_mix")

    def recipe(self):
        plain = partial(scores.scaled_dot, scale=self.used_scale())

        def talking(query, key, mix):
            return mixed(plain(query, key), mix)

        return Recipe(
            talking if self.mix_scores else plain,
            self.normalizer,
            self._tensors("score_mix") if self.mix_scores else (),
            blend=mixed if self.mix_weights else None,
            blend_parameters=self._tensors("weight_mix") if self.mix_weights else (),
        )

    def _tensors(self, name):
        return (ops.convert_to_tensor(getattr(self, name)),)

    def get_config(self):
        return {
            **super().get_config(),
            "mix_scores": self.mix_scores,
            "mix_weights": self.mix_weights,
        }


def mixed(maps, mix):
    """Maps (B, H, T, S) of heads h as sums with the columns of ``mix`` (H, H)."""
    return ops.einsum("bhts,hg->bgts", maps, widen(mix))
