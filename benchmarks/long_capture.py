"""What it costs to capture 144 heads of 4,096 x 4,096 weights.

    python -m benchmarks.long_capture --layer regard

A stack of 12 layers with 12 heads each reads one text of 4,096 vectors, once plainly
and once captured, each in a process of its own. Printed are the processor's seconds
and how much higher the peak of the process's memory is with the capture. All weights
would be 9.7 GB.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time

LAYERS, HEADS, LENGTH, WIDTH = 12, 12, 4096, 768


def stack(kind):
    """A model of self-attention layers with residuals."""
    import keras

    import regard

    inputs = keras.Input((LENGTH, WIDTH))
    hidden = inputs
    for _ in range(LAYERS):
        if kind == "regard":
            layer = regard.layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
        else:
            layer = keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
        hidden = keras.layers.Add()([hidden, layer(hidden, hidden)])
    return keras.Model(inputs, hidden)


def measure(kind, captured):
    """Seconds of the processor and peak of one call, in this process."""
    import keras
    import numpy as np

    import regard

    model = stack(kind)
    tiny = regard.layers.AdditiveAttention(2)  # so that all is imported before
    regard.attend_to(tiny, np.ones((1, 2, 2), "float32"))
    text = np.random.default_rng(0).normal(size=(1, LENGTH, WIDTH)).astype("float32")
    before, start = peak(), time.process_time()
    if captured:
        maps = regard.attend_to(model, text)
        kept = sum(
            array.nbytes
            for calls in maps.values()
            for trace in calls
            for array in (*trace.extra.values(), *dict(trace.arrays()).values())
        )
    else:
        keras.ops.convert_to_numpy(model(text, training=False))
        kept = 0
    seconds = time.process_time() - start
    return {"seconds": seconds, "before": before, "peak": peak(), "kept": kept}


def peak():
    """The most bytes this process held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def in_child(kind, captured):
    command = [sys.executable, "-m", "benchmarks.long_capture", "--layer", kind]
    command += ["--child", "captured" if captured else "plain"]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(found.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layer", choices=["regard", "keras"], default="regard")
    parser.add_argument("--child", choices=["plain", "captured"])
    chosen = parser.parse_args()
    if chosen.child:
        print(json.dumps(measure(chosen.layer, chosen.child == "captured")))
        return
    plain, captured = (in_child(chosen.layer, each) for each in (False, True))
    gigabytes = {
        "peak of the call alone": plain["peak"] - plain["before"],
        "peak of the captured call": captured["peak"] - captured["before"],
        "kept": captured["kept"],
        "more than without capture": captured["peak"] - plain["peak"],
    }
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    print(f"{backend}, {LAYERS * HEADS} heads of {LENGTH} x {LENGTH}, {chosen.layer}")
    for name, value in gigabytes.items():
        print(f"{name:27} {value / 1e9:6.2f} GB")
    for name, found in (("plain", plain), ("captured", captured)):
        print(f"{name:27} {found['seconds']:6.1f} s")


if __name__ == "__main__":
    main()
