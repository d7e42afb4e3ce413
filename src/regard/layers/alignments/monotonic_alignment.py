"""What monotonic attention and its chunks have in common."""

import keras
from keras import ops

from regard.core.alignments.history import start_at
from regard.core.alignments.monotonic import ALIGNMENTS, with_mass_kept
from regard.core.scores import widen
from regard.core.shapes import with_head
from regard.layers.alignments.alignment import Alignment
from regard.layers.alignments.energy import KINDS, Energy
from regard.layers.weights import WeightOptions, check_units


class MonotonicAlignment(Alignment):
    """Stops at keys in their order; abstract.

    State: ``alignment`` (B, 1, S), at the start one at the first real key.
    """

    scored = False  # by a normalizer

    def __init__(
        self,
        units=None,
        score="additive",
        mode="parallel",
        normalize=True,
        score_bias=-1.0,
        noise=0.0,
        preserve_mass=False,
        **options,
    ):
        self.weight_options = WeightOptions.taken_from(options)
        super().__init__(**options)
        if score not in KINDS:
            raise ValueError(f"score must be one of {KINDS}. Got {score!r}.")
        if mode not in ALIGNMENTS:
            raise ValueError(f"mode must be one of {tuple(ALIGNMENTS)}. Got {mode!r}.")
        if not noise >= 0:
            raise ValueError(f"noise must be a standard deviation >= 0. Got {noise!r}.")
        if score == "general" and units is not None:
            raise ValueError(
                'units must be None with score="general", whose keys become as wide as '
                f"the query. Got {units!r}."
            )
        self.units = check_units("units", units) if score == "additive" else None
        self.score, self.mode, self.normalize = score, mode, bool(normalize)
        self.score_bias, self.noise = float(score_bias), float(noise)
        self.preserve_mass = bool(preserve_mass)
        self.energies = [Energy(score, self.units, self.normalize)]
        if self.noise:
            self.noise_generator = keras.random.SeedGenerator(self.seed)

    def add_weights(self, query_width, key_width, value_width):
        for energy in self.energies:
            energy.build(self, query_width, key_width)
        start = keras.initializers.Constant(self.score_bias)
        self.threshold = self.add_weight((), name="score_bias", initializer=start)

    def project_query(self, query):
        parts = [energy.project_query(query) for energy in self.energies]
        return with_head(ops.concatenate(parts, axis=-1))

    def project_memory(self, key, value):
        parts = [energy.project_key(key) for energy in self.energies]
        return with_head(ops.concatenate(parts, axis=-1)), with_head(value)

    def energy(self, look, index=0):
        """The scores (B, 1, 1, S) of one of the energies."""
        width = self.energies[0].width
        own = slice(index * width, (index + 1) * width)
        return self.energies[index](look.query[..., own], look.key[..., own])

    def draw_noise(self, shape, training):
        if not (training and self.noise):
            return None
        return keras.random.normal(
            shape, stddev=self.noise, seed=self.noise_generator, dtype="float32"
        )

    def begin(self, memory):
        return {"alignment": start_at(memory["mask"], "first")}

    def aligned(self, look, state):
        """Where the reader stops, the next state, and extra for a trace."""
        energy = self.energy(look) + widen(self.threshold)
        energy = energy if look.noise is None else energy + look.noise
        if self.mode == "hard":
            choose = ops.cast(energy > 0, "float32")
        else:
            choose = ops.sigmoid(energy)
        choose = ops.where(look.seen, choose, ops.zeros_like(choose))
        previous = ops.expand_dims(state["alignment"], 2)
        alignment = ALIGNMENTS[self.mode](choose, previous)
        if self.preserve_mass:
            alignment = with_mass_kept(alignment, look.seen)
        after = {"alignment": ops.squeeze(alignment, 2)}
        return alignment, after, {"p_choose": choose, "previous": previous}

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "score": self.score,
            "mode": self.mode,
            "normalize": self.normalize,
            "score_bias": self.score_bias,
            "noise": self.noise,
            "preserve_mass": self.preserve_mass,
            **self.weight_options.config(),
        }
