"""Pooling by learned seeds that attend with many heads."""

import keras

from regard.layers.pooling.learned_queries import LearnedQueries
from regard.layers.pooling.set_block import SetBlock


@keras.saving.register_keras_serializable("regard")
class MultiHeadPooling(LearnedQueries):
    r"""$O = \mathrm{block}(S, X)$: ``num_seeds`` learned queries ask a set.

    ``S`` (num_seeds, units) are the seeds, the block is ``SetBlock``. Input (B, S, D),
    output (B, num_seeds, units), weights (B, H, num_seeds, S). The order of the input
    does not matter. What is all padding gives what the block makes of the seeds alone.

    Lee et al. 2019, "Set Transformer", arXiv:1810.00825, section 3.2, equation 11 (PMA;
    the paper sends X through a row-wise layer first, which is left to the caller).

    Args:
        num_heads, units: of the block.
        num_seeds: how many vectors come out.
        **options: of ``SetBlock``.

    Raises:
        ValueError: where a size is not a positive integer, or units no multiple.
    """

    mechanism = "multi_head_pooling"
    seeds_name = "seeds"

    def __init__(self, num_heads, units, num_seeds=1, **options):
        own, inner = self.split_options(options)
        super().__init__(SetBlock(num_heads, units, **inner), num_seeds, **own)

    def seed_width(self, width):
        return self.block.units

    def get_config(self):
        return {**super().get_config(), "num_seeds": self.num_queries}
