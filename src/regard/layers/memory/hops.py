"""Reading a memory several times, each time with what was found before."""

from dataclasses import replace

from keras import ops

from regard.core.attend import Visibility, attend
from regard.layers.attention import Attention
from regard.layers.weights import WeightOptions, check_units


class Hops(Attention):
    r"""$o_k = \mathrm{attention}(u_k, M_k),\quad u_{k+1} = f_k(u_k, o_k)$; abstract.

    The output is the last u, (B, T, units). Every hop has its own weights: they are
    returned as heads are, (B, hops, T, S). ``project_query`` gives $u_1$ (B, 1, T, D),
    ``project_memory`` keys and values (B, hops, S, D), ``advance`` is $f_k$.
    """

    num_heads_shown = True

    def __init__(
        self,
        units,
        hops=1,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        kernel_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.units = check_units("units", units)
        self.hops = self.num_heads = check_units("hops", hops)
        if self.position is not None:
            raise ValueError(
                "position must be None: hops share one query, which no position scheme "
                f"turns for each of them. Got {self.position!r}."
            )
        self.weight_options = WeightOptions(
            kernel_initializer=kernel_initializer,
            kernel_regularizer=kernel_regularizer,
            kernel_constraint=kernel_constraint,
        )

    def add_kernel(self, name, *shape):
        """A kernel with the options of the constructor."""
        options = self.weight_options.for_kernel()
        return self.add_weight(shape, name=name, **options)

    def advance(self, hop, asked, found):
        """The next query (B, 1, T, D) from this one and what it found."""
        raise NotImplementedError(f"{type(self).__name__} must define advance.")

    def look(self, queries, keys, values, visibility, bias=None, keep=None, want=()):
        found = []
        for hop in range(self.hops):
            seen = {n: of_hop(each, hop) for n, each in visibility.masks.items()}
            found.append(
                attend(
                    queries,
                    of_hop(keys, hop),
                    of_hop(values, hop),
                    self._recipe_of(hop),
                    Visibility(seen, visibility.scopes, visibility.grid),
                    of_hop(bias, hop),
                    of_hop(keep, hop),
                    want,
                )
            )
            queries = self.advance(hop, queries, found[-1]["context"])
        return {
            name: ops.concatenate([each[name] for each in found], axis=1)
            for name in found[0]
        }

    def _recipe_of(self, hop):
        """The recipe with the normalizer's weights of one hop."""
        recipe = self._whole_recipe()
        weights = tuple(each[hop : hop + 1] for each in recipe.normalizer_parameters)
        return replace(recipe, normalizer_parameters=weights)

    def merge(self, context, query):
        asked = self.project_query(query)
        for hop in range(self.hops):
            asked = self.advance(hop, asked, context[:, hop : hop + 1])
        return asked[:, 0]

    def head_width(self, query_width):
        return self.units

    def output_width(self, query_width, value_width):
        return self.units

    def _shape_weights(self, weights):
        return weights

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "hops": self.hops,
            **self.weight_options.config(),
        }


def of_hop(tensor, hop):
    """The slice of one hop; what is the same for all stays, or draws for each."""
    if tensor is None or callable(tensor) or tensor.shape[1] == 1:
        return tensor
    return tensor[:, hop : hop + 1]
