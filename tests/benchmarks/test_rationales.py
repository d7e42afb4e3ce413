"""Reading tweets with what people marked in them, and measuring what is ranked."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks import rationales

TABLE = (
    "id\tsentiment\ttext\tselected_text\ttoken_mask\n"
    'a\tpositive\tI LOVE "this" soooo much !!!\tLOVE\t010000\n'
    "b\tnegative\tno\tno\t1\n"
)


def test_every_token_keeps_its_mark(tmp_path):
    (tmp_path / "tweets.tsv").write_text(TABLE, encoding="utf-8")
    rows = rationales.read(tmp_path / "tweets.tsv")
    assert rows[0]["tokens"] == ["i", "love", "this", "soo", "much", "!!"]
    ids, labels, marked = rationales.numbers(rows, {"love": 2, "no": 3}, 6)
    assert ids.tolist() == [[1, 2, 1, 1, 1, 1], [3, 0, 0, 0, 0, 0]]
    assert labels.tolist() == [2, 0] and marked.sum(1).tolist() == [1, 1]


def test_without_the_data_it_says_what_to_set(monkeypatch):
    monkeypatch.delenv("REGARD_SHARED", raising=False)
    monkeypatch.setattr("sys.argv", ["rationales"])
    with pytest.raises(SystemExit, match="Set REGARD_SHARED"):
        rationales.main()


def test_the_shared_tweets_have_a_mark_for_each_token(shared):
    rows = rationales.read(shared / "data" / "tweet-rationales" / "dev.tsv")
    assert len(rows) == 1500
    assert all(len(row["tokens"]) == len(row["marked"]) for row in rows)


@pytest.mark.backend("torch")
def test_a_line_for_each_explanation_of_a_model():
    ids = np.array([[2, 3, 4, 5], [3, 2, 0, 0]], "int32")
    marked = np.array([[1, 1, 0, 0], [0, 1, 0, 0]], bool)
    model = rationales.make_model(6, seed=0)
    found = dict(rationales.compare(model, ids, marked, share=0.5))
    assert next(iter(found)) == "attention" and list(found)[-1].startswith("random")
    for f1, area, iou, removed, alone in found.values():
        assert all(each.shape == (2,) for each in (f1, area, removed, alone))
        assert 0 <= iou <= 1 and ((f1 >= 0) & (f1 <= 1)).all()
    assert_allclose(found["random, mean of 20"][0].mean(), 0.5, atol=0.2)
    assert rationales.cell(np.ones(3)) == "1.000 [1.000; 1.000]"
    assert rationales.cell(0.25) == "0.250"
