"""Attention that shares its weight with a vocabulary."""

import keras
from keras import ops

from regard.core import masks, scores
from regard.core.attend import Recipe, Visibility, attend
from regard.core.copying import check_ids, mixture, spread
from regard.core.normalizers import Softmax
from regard.core.normalizers.part import LOWEST
from regard.core.scopes import Grid, Scope
from regard.core.shapes import sizes_of, with_head, without_head
from regard.layers.copying.word_head import WordHead
from regard.layers.inputs import gathered, quarantine, static_scope
from regard.layers.keras_internals import set_keras_mask


class CopyAttention(WordHead):
    r"""One softmax over the places of a memory and a way out; abstract.

    $a_{ij} = \frac{e^{s_{ij}}}{e^{z_i} + \sum_k e^{s_{ik}}},\quad
    g_i = 1 - \sum_j a_{ij},\quad
    p_i(w) = g_i\, p^{\mathrm{vocab}}_i(w) + \sum_{j:\,w_j = w} a_{ij}$

    A mechanism says what is compared (``ask``, ``offer``) and how large the way out is
    (``way_out``, the $z_i$).

    Call arguments:
        query: (B, T, Dq); value: (B, S, Dv), by default the query.
        ids: whole numbers (B, S), the word that stands at each place.
        query_mask, value_mask: (B, T), (B, S), True = real; implicit ones count too.
        attention_mask: (T, S), (B, T, S), (B, 1, T, S) or a scope, True = may be seen.
        query_positions, key_positions: integers for scopes.
        return_attention_scores: also return the copy weights a (B, T, S).
    """

    def __init__(self, vocabulary_size, scope=None, **options):
        super().__init__(vocabulary_size, **options)
        self.scope = None if scope is None else static_scope(scope)

    def ask(self, query):
        """(B, T, Dq) -> (B, T, D): what is compared with the memory."""
        raise NotImplementedError(f"{type(self).__name__} must define ask.")

    def offer(self, value):
        """(B, S, Dv) -> (B, S, D): what the memory is compared by."""
        return value

    def way_out(self, queries, logits):
        """(B, T, D), (B, T, V) -> (B, T, 1): the logit of not copying."""
        raise NotImplementedError(f"{type(self).__name__} must define way_out.")

    def call(  # noqa: PLR0913 - Keras' arguments by name, then ours
        self,
        query,
        value=None,
        *,
        ids,
        query_mask=None,
        value_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        query_positions=None,
        key_positions=None,
    ):
        given = gathered(query, value, None, query_mask, value_mask, None)
        ids = check_ids(ids, sizes_of(given.query)[0], given.memory)
        grid = Grid.of(given.length, given.memory, query_positions, key_positions)
        visibility = self._visibility(given, attention_mask, grid)
        query = given.query
        value, _, poison = quarantine(given.value, given.value, visibility)
        logits, queries = self.logits(query), self.ask(query)
        out = self.way_out(queries, logits)  # (B, T, 1)
        parts = {
            "query": with_head(queries),
            "key": with_head(self.offer(value)),
            "value": with_head(value),
        }
        found = attend(
            **parts,
            recipe=Recipe(scores.dot, Softmax()),
            visibility=visibility,
            bias=poison,
            want=("weights", "scores", "mask"),
        )
        gate = share_of(out, found)  # (B, T, 1)
        for name in ("weights", "context"):  # the places share what is left
            kept = with_head(ops.cast(1 - gate, found[name].dtype))
            found[name] = kept * found[name]
        copied = spread(without_head(found["weights"]), ids, self.size)
        output = self.finish(mixture(ops.softmax(logits), copied, gate))
        if given.query_mask is not None:
            set_keras_mask(output, given.query_mask)
        for listener in self.recorders():
            more = {"masks": visibility.parts(), "extra": {"gate": gate, "ids": ids}}
            listener.receive(self, {**found, **parts, **more})
        if return_attention_scores:
            weights = ops.cast(found["weights"], self.compute_dtype)
            return output, without_head(weights)
        return output

    def _visibility(self, given, attention_mask, grid):
        parts, scopes = {}, {}
        if given.query_mask is not None:  # (B, 1, T, 1)
            parts["query"] = given.query_mask[:, None, :, None]
        if given.padding is not None:  # (B, 1, 1, S)
            parts["padding"] = given.padding[:, None, None, :]
        if isinstance(attention_mask, Scope):
            scopes["user"] = attention_mask
        elif attention_mask is not None:
            expected = given.sizes(1)
            parts["user"] = masks.pair_mask(attention_mask, "attention_mask", expected)
        if self.scope is not None:
            scopes[self.scope.cause] = self.scope
        return Visibility(parts, scopes, grid)

    def compute_output_shape(self, query_shape, value_shape=None):
        return (*query_shape[:-1], self.size)

    def compute_output_spec(self, query, value=None, *args, **options):
        value = query if value is None else value
        asked = options.get("return_attention_scores")
        return self.spec(query, value.shape[1], asked)

    def get_config(self):
        return {
            **super().get_config(),
            "scope": self.scope and keras.saving.serialize_keras_object(self.scope),
        }


def share_of(out, found):
    """The weight of the way out (B, T, 1) beside the places that were seen."""
    reached = without_head(found["scores"])
    lowest = ops.full_like(reached, LOWEST)
    reached = ops.where(without_head(found["mask"]), reached, lowest)
    total = ops.logsumexp(ops.concatenate([reached, out], axis=-1), axis=-1)
    return ops.exp(out - ops.expand_dims(total, -1))
