"""Time and memory of each attention layer, beside Keras' own.

    python -m benchmarks layers [--lengths 256 1024] [--only additive ...]

Self-attention over a batch of 4 sequences of width 64. Every row runs in a process of
its own, so that its memory is what it alone added; what is timed is compiled and warm.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

BATCH, WIDTH, HEADS, REPEATS = 4, 64, 4, 5

LAYERS = {
    "additive": ("regard", "AdditiveAttention", {"units": WIDTH}),
    "additive (keras)": ("keras", "AdditiveAttention", {}),
    "concat": ("regard", "ConcatAttention", {"units": WIDTH}),
    "cosine": ("regard", "CosineAttention", {}),
    "dot": ("regard", "DotAttention", {}),
    "dot (keras)": ("keras", "Attention", {}),
    "general": ("regard", "GeneralAttention", {}),
    "multi-head": (
        "regard",
        "MultiHeadAttention",
        {"num_heads": HEADS, "key_dim": WIDTH // HEADS},
    ),
    "multi-head (keras)": (
        "keras",
        "MultiHeadAttention",
        {"num_heads": HEADS, "key_dim": WIDTH // HEADS},
    ),
    "scaled dot": ("regard", "ScaledDotAttention", {}),
}


def build(name: str, length: int):
    """A model of one attention layer that reads a sequence by itself."""
    import keras

    import regard

    package, class_name, options = LAYERS[name]
    layers = regard.layers if package == "regard" else keras.layers
    layer = getattr(layers, class_name)(**options)
    inputs = keras.Input((length, WIDTH))
    projected = keras.layers.Dense(WIDTH)(inputs)  # so that a step has work to do
    if package == "keras" and class_name != "MultiHeadAttention":
        outputs = layer([projected, projected])
    else:
        outputs = layer(projected, projected)
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", jit_compile=keras.backend.backend() == "jax")
    return model


def seconds(action) -> float:
    """The shortest of some runs, after one that compiles."""
    action()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def peak() -> float:
    """The most memory that this process has held, in MB."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / (1e6 if sys.platform == "darwin" else 1e3)


def measure(name: str, length: int) -> dict[str, float]:
    """Time and memory of the forward pass, then of a training step."""
    import numpy as np

    model = build(name, length)
    random = np.random.default_rng(0)
    batch = random.normal(size=(BATCH, length, WIDTH)).astype("float32")
    before = peak()
    forward = seconds(lambda: model.predict_on_batch(batch))
    between = peak()
    step = seconds(lambda: model.train_on_batch(batch, batch))
    return {
        "forward_ms": forward * 1e3,
        "forward_mb": between - before,
        "step_ms": step * 1e3,
        "step_mb": peak() - before,
    }


def measure_apart(name: str, length: int) -> dict[str, float]:
    """The same in a process of its own."""
    code = (
        f"import json; from benchmarks.layers import measure; "
        f"print(json.dumps(measure({name!r}, {length})))"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"{name} at length {length} failed:\n{result.stderr}")
    return json.loads(result.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks layers")
    parser.add_argument("--lengths", type=int, nargs="+", default=[128, 512])
    parser.add_argument("--only", nargs="+", choices=LAYERS, default=list(LAYERS))
    parser.add_argument("--out", type=Path, default=Path("runs/bench"))
    options = parser.parse_args()

    backend = os.environ.get("KERAS_BACKEND", "Keras' default backend")
    print(f"{backend}, batch {BATCH}, width {WIDTH}; a training step runs both ways")
    columns = ["forward_ms", "forward_mb", "step_ms", "step_mb"]
    print(f"{'layer':20}{'length':>8}" + "".join(f"{name:>12}" for name in columns))
    rows = []
    for name in options.only:
        for length in options.lengths:
            row = measure_apart(name, length)
            rows.append({"layer": name, "length": length, **row})
            numbers = "".join(f"{row[column]:12.1f}" for column in columns)
            print(f"{name:20}{length:8}{numbers}", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"layers-{backend.split()[0].lower()}.json"
    path.write_text(json.dumps({"backend": backend, "rows": rows}, indent=1))
    print(f"written: {path}")


if __name__ == "__main__":
    main()
