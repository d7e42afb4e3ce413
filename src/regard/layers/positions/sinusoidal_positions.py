"""Places as waves of many lengths, added to the inputs."""

import keras
from keras import ops

from regard.core.positions.waves import frequencies
from regard.layers.positions.absolute import AbsolutePositions

_LAYOUTS = ("interleaved", "half")


@keras.saving.register_keras_serializable("regard")
class SinusoidalPositions(AbsolutePositions):
    r"""$x_p + \mathrm{PE}_p$, $\mathrm{PE}_{p,2m} = \sin(p\,\theta_m)$, then cosines.

    $\theta_m = \text{base}^{-2m/D}$. ``layout="interleaved"`` has a sine and its cosine
    side by side (the paper, Keras Hub), ``"half"`` all sines first (the paper's own
    code). Nothing is learned, and no length is too long. Inputs and output
    (B, T, D). The paper multiplies embeddings by $\sqrt{D}$ before.

    Places count real tokens, so padding on either side changes nothing; padded places
    come out as zeros.

    Vaswani et al. 2017, "Attention is all you need", arXiv:1706.03762, section 3.5.

    Args:
        base: the slowest wave is about $2\pi\cdot$ base positions long.
        layout: "interleaved" or "half".
        **options: of every layer.

    Call arguments:
        inputs: (B, T, D).
        mask: (B, T), True = real; an implicit Keras mask is honoured.
        positions: integers (T,) or (B, T), instead of counting.

    Raises:
        ValueError: for an unknown layout, or an odd width with the layout "half".
    """

    mechanism = "sinusoidal_positions"

    def __init__(self, base=10000.0, layout="interleaved", **options):
        super().__init__(**options)
        if layout not in _LAYOUTS:
            raise ValueError(f"layout must be one of {_LAYOUTS}. Got {layout!r}.")
        self.base, self.layout = float(base), layout

    def build(self, input_shape):
        width = input_shape[-1]
        if width is None or (width % 2 and self.layout == "half"):
            raise ValueError(
                "inputs must have a known width, and an even one for the layout "
                f"'half'. Got shape {tuple(input_shape)}."
            )
        self.built = True

    def encodings(self, places, width):
        turns = frequencies(width, self.base)
        angles = ops.expand_dims(ops.cast(places, "float32"), -1)
        angles = angles * ops.convert_to_tensor(turns, dtype="float32")
        waves = [ops.sin(angles), ops.cos(angles)]  # (…, T, D/2)
        if self.layout == "half":
            return ops.concatenate(waves, axis=-1)
        pairs = ops.stack(waves, axis=-1)  # an odd width leaves the last cosine out
        pairs = ops.reshape(pairs, (*ops.shape(angles)[:-1], 2 * len(turns)))
        return pairs[..., :width]

    def get_config(self):
        return {**super().get_config(), "base": self.base, "layout": self.layout}
