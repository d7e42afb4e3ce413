"""Plant faults in a copy of the source, one at a time: each must fail some test.

Run by hand, from the root of the repository:

    KERAS_BACKEND=torch python -m tests.mutants [a word of the faults to try]

Prints the first failing test for every fault, and exits non-zero if one survives or no
longer applies, or if the tests fail on the source as it is (tried without a word).
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITES = ("tests/core", "tests/conformance")

# name: (file below src/regard, what stands there, what the fault puts instead)
MUTANTS = {
    "mask ignored": (
        "core/dense.py",
        "normalizer(visible, mask)",
        "normalizer(scores)",
    ),
    "empty row divides by zero": (
        "core/normalizers.py",
        "powers / ops.where(total == 0, ops.ones_like(total), total)",
        "powers / total",
    ),
    "entmax without the half": (
        "core/normalizers.py",
        "shifted(scores, mask) / 2",
        "shifted(scores, mask)",
    ),
    "sparsemax gradient without the mean": (
        "core/normalizers.py",
        "support * (upstream - mean)",
        "support * upstream",
    ),
    "product for sum in the additive score": (
        "core/scores.py",
        "ops.tanh(query + key)",
        "ops.tanh(query * key)",
    ),
    "sigmoid for tanh": ("core/scores.py", "ops.tanh(", "ops.sigmoid("),
    "half precision not widened": (
        "core/scores.py",
        'kind in ("float16", "bfloat16")',
        "kind in ()",
    ),
    "cosine of the query as it is": (
        "core/scores.py",
        "dot(unit(widen(query)),",
        "dot(widen(query),",
    ),
    "last places for the first": (
        "core/scores.py",
        "[..., :length]",
        "[..., -length:]",
    ),
    "three axes read as heads": (
        "core/masks.py",
        "ops.expand_dims(mask, 1) if rank == 3",
        "ops.expand_dims(mask, 0) if rank == 3",
    ),
    "float masks let in": (
        "core/masks.py",
        'kind != "bool" and "int" not in kind',
        "False",
    ),
    "causal aligned to the first query": (
        "core/scopes.py",
        "query_index + (key_length - query_length)",
        "query_index",
    ),
    "window one short": (
        "core/scopes.py",
        "distance <= self.left",
        "distance < self.left",
    ),
    "scale by the width": ("core/attend.py", "1.0 / math.sqrt(width)", "1.0 / width"),
    "weights returned after dropout": (
        "core/dense.py",
        '"weights": weights,',
        '"weights": mixing,',
    ),
    "blocks in sorted order": (
        "core/rows.py",
        "[own[name] for name in blocks]",
        "list(own.values())",
    ),
    "values not hidden before projection": (
        "layers/attention.py",
        "        value = hide(value, padding)\n",
        "",
    ),
    "implicit mask of the value forgotten": (
        "layers/attention.py",
        "join(value_mask, get_keras_mask(value))\n        key_mask",
        "value_mask\n        key_mask",
    ),
    "query mask forgotten": (
        "layers/attention.py",
        "if query_mask is not None:  # (B, 1, T, 1)",
        "if False:",
    ),
    "output without its mask": (
        "layers/attention.py",
        "set_keras_mask(output, query_mask)",
        "pass",
    ),
    "dropout at inference": (
        "layers/attention.py",
        "not (training and self.dropout)",
        "not self.dropout",
    ),
    "position of steps stands still": (
        "layers/attention.py",
        '{"position": position + 1}',
        '{"position": position}',
    ),
    "memory without its padding": (
        "layers/attention.py",
        'mask = ops.cast(memory["mask"], "bool")[:, None, None, :]',
        'mask = ops.ones_like(memory["mask"], dtype="bool")[:, None, None, :]',
    ),
    "NaN under a pair mask": (
        "layers/inputs.py",
        "if not per_pair and not visibility.scopes:",
        "if True:",
    ),
    "an argument lost in the configuration": (
        "layers/multi_head_attention.py",
        '            "value_dim": self.value_dim,\n',
        "",
    ),
    "gate from nowhere": (
        "layers/multi_head_attention.py",
        "context * self.gate_dense(query)",
        "context",
    ),
    "pooling without a bias": (
        "layers/pooling/attention_pooling.py",
        "logits = logits + self.bias",
        "logits = logits + 0 * self.bias",
    ),
    "input feeding of nothing": (
        "layers/attention_decoder.py",
        'state["output"] = output',
        'state["output"] = 0 * output',
    ),
    "the old state asks for the new": (
        "layers/attention_decoder.py",
        'self.attention.step(hidden, memory, state["attention"])',
        'self.attention.step(state["cell"][0], memory, state["attention"])',
    ),
}


def first_failure(source: Path) -> str | None:
    """The first test that fails on the source, or None."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-m", "not slow", *SUITES],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", run.stdout, re.MULTILINE)
    return found.group(1) if found else None


def outcome(source: Path, file: str, old: str, new: str) -> tuple[bool, str]:
    """Whether the fault was caught, and by what."""
    path = source / "regard" / file
    text = path.read_text("utf-8")
    if text.count(old) < 1:
        return False, "the code to change is no longer there"
    path.write_text(text.replace(old, new), "utf-8")
    try:
        failure = first_failure(source)
    finally:
        path.write_text(text, "utf-8")
    return failure is not None, failure or "SURVIVED"


def main(word: str = "") -> int:
    chosen = {name: fault for name, fault in MUTANTS.items() if word in name}
    survivors, healthy = 0, True
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source)
        if not word:
            failure = first_failure(source)
            healthy = failure is None
            print(f"the source as it is: {failure or 'passes'}", flush=True)
        for name, fault in chosen.items():
            caught, story = outcome(source, *fault)
            survivors += not caught
            print(
                f"{'caught' if caught else 'NOT CAUGHT'}: {name}: {story}", flush=True
            )
    print(f"{len(chosen) - survivors} of {len(chosen)} faults caught")
    return 0 if healthy and not survivors else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
