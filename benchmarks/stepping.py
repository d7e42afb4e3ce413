"""Steps that hand something over to the next, compiled as inside a loop."""

from __future__ import annotations

from typing import Any


def compiled_step(step: Any, layer: Any, given: Any, kept: Any) -> Any:
    """Run ``step(given, kept) -> output, kept`` again and again, without gradients.

    What is kept is handed over, so that on JAX, as inside a compiled loop, it can be
    changed where it stands.
    """
    import keras

    given = keras.ops.convert_to_tensor(given)
    kept = keras.tree.map_structure(keras.ops.copy, kept)
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        values = [each.value for each in layer.variables]

        def pure(values, given, kept):
            pairs = list(zip(layer.variables, values, strict=True))
            with keras.StatelessScope(state_mapping=pairs):
                return step(given, kept)

        compiled = jax.jit(pure, donate_argnums=2)
        call = lambda kept: jax.block_until_ready(compiled(values, given, kept))  # noqa: E731
    elif backend == "tensorflow":
        import tensorflow as tf

        function = tf.function(step)
        call = lambda kept: function(given, kept)  # noqa: E731
    else:
        import torch

        call = torch.no_grad()(lambda kept: step(given, kept))
    held = [kept]

    def run():
        output, held[0] = call(held[0])
        return output.numpy() if backend == "tensorflow" else output

    return run
