"""Batches: every pair once, few shapes, an order that can be resumed."""

import numpy as np
import pytest

from regard.apps.translate.batches import BatchPlan
from regard.apps.translate.tokenizer import BOS, EOS, PAD


def pairs(count: int = 500, seed: int = 0):
    random = np.random.default_rng(seed)
    lengths = random.integers(1, 30, size=(count, 2))
    return [
        [list(random.integers(4, 90, size=n)) for n in lengths[:, side]]
        for side in (0, 1)
    ]


def same(left, right):
    return len(left) == len(right) and all(
        np.array_equal(a, b)
        for one, two in zip(left, right, strict=True)
        for a, b in zip(one, two, strict=True)
    )


@pytest.mark.parametrize("walk", ["epoch", "fixed"])
def test_every_pair_comes_once_and_whole(walk):
    sources, targets = pairs()
    plan = BatchPlan(sources, targets, tokens=256)
    batches = list(plan.epoch(3) if walk == "epoch" else plan.fixed())
    seen = []
    for batch in batches:
        for row, pair in enumerate(batch.rows):
            if pair < 0:
                assert not batch.source[row].any()
                assert not batch.target_input[row].any()
                assert not batch.target_output[row].any()
                continue
            seen.append(int(pair))
            text, translation = sources[pair], targets[pair]
            assert [x for x in batch.source[row] if x != PAD] == [*text, EOS]
            assert list(batch.source[row][: len(text)]) == text
            kept = len(translation) + 1
            assert list(batch.target_input[row][:kept]) == [BOS, *translation]
            assert list(batch.target_output[row][:kept]) == [*translation, EOS]
            assert not batch.target_output[row][kept:].any()
    assert sorted(seen) == list(range(len(sources)))
    assert len(batches) == plan.batches_per_epoch


def test_shapes_are_few_and_within_the_budget():
    plan = BatchPlan(*pairs(), tokens=512, buckets=4)
    shapes = {(b.source.shape, b.target_input.shape) for b in plan.epoch(0)}
    assert len(shapes) <= 4
    assert len(plan.buckets) == len(shapes)
    for bucket in plan.buckets:
        longest = max(bucket.source_length, bucket.target_length)
        assert bucket.rows % 8 == 0
        assert bucket.rows == 8 or bucket.rows * longest <= 512


def test_buckets_save_padding():
    sources, targets = pairs()
    positions = [
        sum(batch.source.size for batch in plan.fixed())
        for plan in (
            BatchPlan(sources, targets, tokens=512, buckets=1),
            BatchPlan(sources, targets, tokens=512, buckets=6),
        )
    ]
    assert positions[1] < 0.85 * positions[0]


def test_bounds_are_the_best_ones():
    """The dynamic programme finds what trying all bounds finds."""
    from itertools import combinations

    from regard.apps.translate.batches import _bounds

    sizes = np.random.default_rng(2).integers(1, 20, size=60)
    rounded = np.unique(2 * -(-sizes // 2))

    def cost(ends):
        return sum(int(min(end for end in ends if end >= size)) for size in sizes)

    for buckets in (1, 2, 3, 4):
        tried = [
            cost([*inner, rounded[-1]])
            for k in range(buckets)
            for inner in combinations(rounded[:-1], k)
        ]
        found = _bounds(sizes, buckets)
        assert len(found) <= buckets
        assert cost(found) == min(tried)


def test_the_order_depends_on_seed_and_epoch_alone():
    data = pairs()
    first = list(BatchPlan(*data, tokens=256, seed=1).epoch(2))
    assert same(first, list(BatchPlan(*data, tokens=256, seed=1).epoch(2)))
    assert not same(first, list(BatchPlan(*data, tokens=256, seed=1).epoch(3)))
    assert not same(first, list(BatchPlan(*data, tokens=256, seed=2).epoch(2)))


def test_an_epoch_resumes_at_any_batch():
    plan = BatchPlan(*pairs(), tokens=256)
    everything = list(plan.epoch(4))
    for start in (0, 1, len(everything) - 1, len(everything)):
        assert same(list(plan.epoch(4, start)), everything[start:])


def test_long_pairs_are_left_out_and_counted():
    plan = BatchPlan([[5] * 3, [5] * 9, [5]], [[6] * 9, [6], [6]], max_length=8)
    assert plan.too_long == 2
    assert [list(b.rows[b.rows >= 0]) for b in plan.epoch(0)] == [[2]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sources": [], "targets": []}, "not empty. Got 0 and 0"),
        ({"sources": [[5]], "targets": []}, "of one length.* Got 1 and 0"),
        ({"max_length": 2}, "Got 2, and the shortest pair has 3 pieces"),
        ({"tokens": 0}, "tokens must be positive. Got 0"),
        ({"buckets": 0}, "buckets must be positive. Got 0"),
    ],
)
def test_wrong_arguments(arguments, message):
    default = {"sources": [[5, 5, 5]], "targets": [[6, 6]]}
    with pytest.raises(ValueError, match=message):
        BatchPlan(**{**default, **arguments})


def test_redrawn_pairs_keep_shapes_and_order():
    sources, targets = pairs()
    drawn = []

    def redraw(pair, epoch):
        drawn.append((pair, epoch))
        twice = [epoch + 200] * (2 * len(sources[pair]))  # some do not fit
        return twice, targets[pair][::-1]

    plain = BatchPlan(sources, targets, tokens=256)
    plan = BatchPlan(sources, targets, tokens=256, redraw=redraw)
    assert plan.batches_per_epoch == plain.batches_per_epoch
    longer = 0
    for batch, before in zip(plan.epoch(3), plain.epoch(3), strict=True):
        assert list(batch.rows) == list(before.rows)
        assert batch.source.shape[1] >= before.source.shape[1]
        for row, pair in enumerate(batch.rows[batch.rows >= 0]):
            ids = [id for id in batch.source[row] if id not in (PAD, EOS)]
            assert ids in (sources[pair], [203] * (2 * len(sources[pair])))
            longer += len(ids) > len(sources[pair])
            wanted = [*targets[pair][::-1], EOS]
            assert list(batch.target_output[row][: len(wanted)]) == wanted
    assert 0 < longer < len(sources)
    assert sorted(drawn) == [(pair, 3) for pair in range(len(sources))]
    assert same(list(plan.epoch(3, 2)), list(plan.epoch(3))[2:])
    ids = [row for batch in plan.fixed() for row in batch.source if row.any()]
    assert all(203 not in row for row in ids)
