"""Keys and values of all heads from one narrow vector per token."""

import keras
from keras import ops

from regard.core.norms.rms import rms
from regard.core.positions import ALiBi, RoPE, T5Bias
from regard.core.scores import widen
from regard.layers.heads.projected import ProjectedHeads
from regard.layers.weights import check_units


@keras.saving.register_keras_serializable("regard")
class MultiHeadLatentAttention(ProjectedHeads):
    r"""Multi-head latent attention: $k_h = U^K_h c,\ v_h = U^V_h c$ from a latent $c$.

    $c_j = \mathrm{RMS}(W^{D} z_j),\quad
    s_{hij} = \frac{m^2}{\sqrt{d + r}}
    \big(q_{hi}^\top U^K_h c_j + R(p_i) \tilde q_{hi} \cdot R(p_j) \tilde k_j\big)$

    Only $c$ (latent_dim) and the turned key $\tilde k$ (rope_dim), which all heads
    share, are kept of a memory. A rotation cannot be taken into $U^K$, so positions act
    on the apart $\tilde q, \tilde k$ alone. ``absorb`` moves $U^K$ to the queries and
    $U^V$ behind the look: the same numbers, computed as attention of all heads to the
    latents themselves, which is quicker for one query against many keys and slower for
    many. Output (B, T, Dq) or (B, T, output_shape); weights (B, H, T, S).

    DeepSeek-AI 2024, "DeepSeek-V2", arXiv:2405.04434, section 2.1.

    Args:
        num_heads: H; key_dim: d, width of a query and a key without positions.
        latent_dim: width of c.
        rope_dim: r, width of the parts that turn; 0 for none.
        value_dim: by default key_dim.
        query_latent_dim: queries too come from a latent of this width; None for none.
        absorb: as above.
        options: position (by default ``RoPE(pairing="interleaved")`` where there is a
            rope_dim; else ``ALiBi`` or ``T5Bias``); mscale m, YaRN's correction
            ($0.1 \ln s + 1$ for contexts s times longer, with
            ``YaRN(..., attention_factor=1.0)`` in the position), 1 by default;
            latent_norm=False for latents without RMS, epsilon of it; use_bias of the
            projections down and out, False by default; and what all layers with heads
            take.

    Raises:
        ValueError: where key and value differ in width, for grouped keys or a norm of
            queries and keys (latents have their own), and for other positions.
    """

    mechanism = "multi_head_latent"

    def __init__(
        self,
        num_heads,
        key_dim,
        latent_dim,
        rope_dim=0,
        query_latent_dim=None,
        absorb=False,
        **options,
    ):
        own = {name: options.pop(name, usual) for name, usual in _OWN.items()}
        options.setdefault("use_bias", False)
        if rope_dim and options.get("position") is None:
            options["position"] = RoPE(pairing="interleaved")
        super().__init__(num_heads, key_dim, **options)
        self.latent_dim = check_units("latent_dim", latent_dim)
        self.rope_dim = check_units("rope_dim", rope_dim) if rope_dim else 0
        if query_latent_dim is not None:
            query_latent_dim = check_units("query_latent_dim", query_latent_dim)
        self.query_latent_dim = query_latent_dim
        self.absorb, self.latent_norm = bool(absorb), bool(own["latent_norm"])
        self.mscale, self.epsilon = float(own["mscale"]), float(own["epsilon"])
        self._check_parts()

    def _check_parts(self):
        if (
            self.query_key_norm is not None
            or self.num_key_value_heads != self.num_heads
        ):
            raise ValueError(
                "query_key_norm must be None and keys not grouped, because latents "
                f"have their own norm and all heads share them. Got "
                f"{self.query_key_norm!r} and {self.num_key_value_heads} heads of keys."
            )
        fitting = (ALiBi, RoPE, T5Bias) if self.rope_dim else (ALiBi, T5Bias)
        if self.position is not None and not isinstance(self.position, fitting):
            names = ", ".join(each.__name__ for each in fitting)
            raise ValueError(
                f"position must be None or one of {names} with rope_dim="
                f"{self.rope_dim}. Got {self.position!r}."
            )

    # Weights -------------------------------------------------------------------------

    def add_weights(self, query_width, key_width, value_width):
        if key_width != value_width:
            raise ValueError(
                "key and value must have one width: latents of both are made by one "
                f"projection. Got {key_width} and {value_width}."
            )
        inner, latent = query_width, self.latent_dim
        if self.query_latent_dim:
            self.query_down = self._down(
                "query_down", query_width, self.query_latent_dim
            )
            self.query_gain = self._gain("query_gain", self.query_latent_dim)
            inner = self.query_latent_dim
        self.query_dense = self._up("query", inner, self.rope_dim + self.key_dim)
        self.memory_down = self._down(
            "memory_down", value_width, self.rope_dim + latent
        )
        self.memory_gain = self._gain("memory_gain", latent)
        self.key_dense = self._up("key", latent, self.key_dim)
        self.value_dense = self._up("value", latent, self.value_dim)
        if self.use_gate:
            self.gate_dense = self.heads_of(
                "gate", query_width, self.num_heads, self.value_dim, "sigmoid"
            )
        self.output_dense = self.joined("attention_output", query_width)

    def _down(self, name, width, latent):
        layer = self._dense(name, "btd,dr->btr", (None, latent), "r")
        layer.build((None, None, width))
        return layer

    def _up(self, name, width, dimension):
        shape = (None, self.num_heads, dimension)
        layer = self._dense(name, "btr,rhd->bthd", shape, None)
        layer.build((None, None, width))
        return layer

    def _gain(self, name, width):
        return (
            self.add_weight((width,), "ones", name=name) if self.latent_norm else None
        )

    # The look ------------------------------------------------------------------------

    def project_query(self, query):
        if self.query_latent_dim:
            query = self._normed_latent(self.query_down(query), self.query_gain)
        query = ops.swapaxes(self.query_dense(query), 1, 2)  # (B, H, T, r + d)
        if not self.absorb:
            return query
        turning, plain = query[..., : self.rope_dim], query[..., self.rope_dim :]
        plain = ops.einsum(
            "bhtd,rhd->bhtr", plain, kernel_of(self.key_dense, self.latent_dim)
        )
        return ops.concatenate([turning, plain], axis=-1)

    def remember(self, key, value, positions):
        down = self.memory_down(key)
        turning = ops.expand_dims(down[..., : self.rope_dim], 1)
        kept = {
            "latent": self._latent(down),
            "turned": self._placed(turning, positions, keys=True),
        }
        if key is not value:
            kept["value_latent"] = self._latent(self.memory_down(value))
        return kept

    def _latent(self, down):
        """(B, S, r + latent_dim) -> (B, 1, S, latent_dim)."""
        latent = self._normed_latent(down[..., self.rope_dim :], self.memory_gain)
        return ops.expand_dims(latent, 1)

    def _normed_latent(self, latent, gain):
        if gain is None:
            return latent
        normed = rms(latent, self.epsilon) * widen(ops.convert_to_tensor(gain))
        return ops.cast(normed, latent.dtype)

    def recall(self, memory):
        latent, turned = memory["latent"], memory["turned"]
        other = memory.get("value_latent", latent)
        if self.absorb:
            return ops.concatenate([turned, latent], axis=-1), other
        turned = ops.repeat(turned, self.num_heads, axis=1)
        keys = ops.concatenate([turned, self._heads_of(self.key_dense, latent)], -1)
        return keys, self._heads_of(self.value_dense, other)

    def _heads_of(self, dense, latent):
        return ops.swapaxes(dense(ops.squeeze(latent, 1)), 1, 2)

    def merge(self, context, query):
        if self.absorb:
            kernel = kernel_of(self.value_dense, self.latent_dim)
            context = ops.einsum("bhtr,rhd->bhtd", context, kernel)
        return super().merge(context, query)

    def used_scale(self):
        usual = (self.key_dim + self.rope_dim) ** -0.5
        return (usual if self.scale is None else self.scale) * self.mscale**2

    def _placed(self, vectors, places, keys=False):
        turning, rest = vectors[..., : self.rope_dim], vectors[..., self.rope_dim :]
        if not self.rope_dim:
            return vectors
        turning = super()._placed(turning, places, keys=keys)
        return ops.concatenate([turning, rest], axis=-1)

    def head_width(self, query_width):
        return self.rope_dim or self.key_dim

    def get_config(self):
        return {
            **super().get_config(),
            "latent_dim": self.latent_dim,
            "rope_dim": self.rope_dim,
            "query_latent_dim": self.query_latent_dim,
            "absorb": self.absorb,
            **{name: getattr(self, name) for name in _OWN},
        }


_OWN = {"mscale": 1.0, "latent_norm": True, "epsilon": 1e-6}


def kernel_of(dense, width):
    """What a projection of this width multiplies by, also where its bits are few."""
    if getattr(dense, "quantization_mode", None) is None:
        return ops.convert_to_tensor(dense.kernel)
    return dense(ops.eye(width)[None])[0]
