"""Low-rank fine-tuning and weights in eight bits, as Keras' own layers have them."""

import re

import keras


class Adaptable(keras.layers.Layer):
    """Hands ``enable_lora`` and ``quantize`` to the projections inside; abstract.

    The projections are Keras' ``Dense`` and ``EinsumDense``. A layer whose weights are
    its own has none, and says so.
    """

    def enable_lora(self, rank, lora_alpha=None, sublayers=None, **options):
        r"""Freeze projections and learn $\frac{\alpha}{r} A B$ beside their kernels.

        Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models",
        arXiv:2106.09685, section 4.1.

        Args:
            rank: r, the width of A's output.
            lora_alpha: scale, by default the rank.
            sublayers: names among those of the projections, by default all of them:
                ``("query", "value")``, for instance. One name means every projection
                of that name, as of both axes of ``AxialAttention``.
            **options: ``a_initializer``, ``b_initializer`` of Keras.

        Raises:
            ValueError: where the layer has no projections or not the named ones.
        """
        found = self._projections("enable_lora")
        known = {each.name for each in found}
        chosen = known if sublayers is None else set(sublayers)
        unknown = sorted(chosen - known)
        if unknown:
            raise ValueError(
                f"sublayers must be names among {sorted(known)}. Got {unknown}."
            )
        for each in found:
            if each.name in chosen:
                each.enable_lora(rank, lora_alpha=lora_alpha, **options)

    def quantize(self, mode=None, type_check=True, config=None):
        """Store the kernels of the projections as ``"int8"``, or in another mode.

        Raises:
            NotImplementedError: where the layer has no projections; ``model.quantize``
                then leaves the layer as it is and warns.
        """
        try:
            projections = self._projections("quantize")
        except ValueError as error:
            raise NotImplementedError(str(error)) from None
        for each in projections:
            each.quantize(mode, type_check=type_check, config=config)

    def _projections(self, wanted):
        found = [
            each
            for each in self._flatten_layers(include_self=False)
            if isinstance(each, (keras.layers.Dense, keras.layers.EinsumDense))
        ]
        if not found:
            raise ValueError(
                f"{wanted} needs a layer with projections inside, such as "
                f"MultiHeadAttention. Got {type(self).__name__}, whose weights are its "
                "own."
            )
        return found

    def get_config(self):
        """The configuration, with the dtype policies of quantized projections."""
        return {**super().get_config(), "dtype": _serialized_policy(self)}


def _serialized_policy(layer):
    """The layer's policy; a map by path where a projection has one of its own."""
    own = layer.dtype_policy
    others = {
        f"(.*/)?{re.escape(layer.name)}/{re.escape(_path_below(layer, each))}": policy
        for each in layer._flatten_layers(include_self=False)
        if (policy := each.dtype_policy).quantization_mode is not None
    }
    if others and not isinstance(own, keras.dtype_policies.DTypePolicyMap):
        own = keras.dtype_policies.DTypePolicyMap(own, others)
    return keras.dtype_policies.serialize(own)


def _path_below(layer, inner):
    """Where a layer inside stands, such as "query", or "height/query"."""
    return inner.path.removeprefix(f"{layer.path}/")
