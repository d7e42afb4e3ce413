"""Examples that the tests of the page share, the nasty ones among them."""

import numpy as np

from regard.reports import AttentionRecord, Example

NASTY = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!--<script>",
    "]]></noscript>",
    "\u202eright to left",
    "\x00",
    "\ud800",
    "{{data}} {{blobs}}",
    "&amp; &#x3c; \" ' \\",
    "\u2028\u2029",
    "long" * 2500,
]


def make_record(queries, keys, seed=0, **more):
    weights = np.random.default_rng(seed).dirichlet(
        np.full(len(keys), 0.3), size=len(queries)
    )
    return AttentionRecord(
        weights=weights, query_tokens=queries, key_tokens=keys, **more
    )


def translation():
    queries, keys = "▁я ▁ни когда </s>".split(), "▁I ▁never </s> <pad>".split()
    weights = [[0.75, 0.25, 0, 0], [0, 1, 0, 0], [0.125, 0.875, 0, 0], [0, 0, 1, 0]]
    record = AttentionRecord(
        weights=weights,
        query_tokens=queries,
        key_tokens=keys,
        masks={"padding": np.array([True, True, True, False])},
        query_language="ru",
        key_language="en",
    )
    return Example(
        source="I never",
        output="я никогда",
        references=["никогда"],
        scores={"chrF": 61.5},
        attention=record,
        source_language="en",
        output_language="ru",
    )


def nasty():
    return Example(
        source=" ".join(NASTY),
        output="".join(NASTY),
        references=NASTY,
        scores={NASTY[0]: 1.0},
        attention=make_record(NASTY, NASTY[::-1], layer=NASTY[1], heads=[NASTY[0]]),
        source_language='"><script>alert(1)</script>',
    )
