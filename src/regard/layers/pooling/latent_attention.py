"""A few learned latents read a long input."""

import keras

from regard.layers.pairs.perceiver_attention import PerceiverAttention
from regard.layers.pooling.learned_queries import LearnedQueries
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class LatentAttention(LearnedQueries):
    r"""$z' = z + \mathrm{heads}(\mathrm{LN}(z), \mathrm{LN}(x)) W^O$ for learned ``z``.

    ``latents`` learned vectors (N, latent_width) read an input of any length S, at S·N
    pairs; whatever comes after works on N vectors. Input (B, S, D), output
    (B, N, latent_width), weights (B, H, N, S). The attention is
    ``PerceiverAttention``. What is all padding leaves the latents and a bias.

    Jaegle et al. 2021, "Perceiver: general perception with iterative attention",
    arXiv:2103.03206, section 3.1. The latents start from noise: equal ones would stay
    equal.

    Args:
        num_latents: N.
        latent_width: their width.
        num_heads, key_dim: of the attention.
        **options: of ``PerceiverAttention``.

    Raises:
        ValueError: where a size is not a positive integer.
    """

    mechanism = "latent_attention"
    seeds_name = "latents"

    def __init__(self, num_latents, latent_width, num_heads, key_dim, **options):
        start = keras.initializers.TruncatedNormal(stddev=0.02)
        options.setdefault("seed_initializer", start)
        own, inner = self.split_options(options)
        block = PerceiverAttention(num_heads, key_dim, **inner)
        super().__init__(block, num_latents, **own)
        self.latent_width = check_units("latent_width", latent_width)

    def seed_width(self, width):
        return self.latent_width

    def get_config(self):
        return {
            **super().get_config(),
            "num_latents": self.num_queries,
            "latent_width": self.latent_width,
        }
