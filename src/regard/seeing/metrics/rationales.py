"""How near the scores of tokens come to what people marked as the reason."""

from __future__ import annotations

import numpy as np

__all__ = ["average_precision_area", "iou_f1", "spans_of", "token_f1", "top_tokens"]

#: The first token, and one past the last.
Span = tuple[int, int]


def top_tokens(scores: np.ndarray, valid: np.ndarray, share: float) -> np.ndarray:
    """``(B, S)`` boolean: the ⌈share · n⌉ valid tokens of each row that score most."""
    scores, valid = np.asarray(scores), np.asarray(valid, bool)
    wanted = np.ceil(share * valid.sum(axis=1) - 1e-9)
    order = np.argsort(np.where(valid, -scores, np.inf), axis=1, kind="stable")
    ranks = np.argsort(order, axis=1)
    return (ranks < wanted[:, None]) & valid


def token_f1(predicted: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """``(B,)``: F1 of the tokens chosen, 0 where none of them is right.

    DeYoung et al. 2020 (ERASER) average it over examples ("instance macro").
    """
    predicted, marked = np.asarray(predicted, bool), np.asarray(marked, bool)
    right = (predicted & marked).sum(axis=1)
    total = predicted.sum(axis=1) + marked.sum(axis=1)
    return 2 * right / np.maximum(total, 1)


def iou_f1(predicted: np.ndarray, marked: np.ndarray, threshold: float = 0.5) -> float:
    """F1 of whole spans: one is right where IOU with a marked span ≥ ``threshold``.

    IOU = |A∩B| / |A∪B| of the tokens of two spans. Precision and recall are of each
    example; their means give the F1, as in the code of ERASER ("macro").
    """
    precisions, recalls = [], []
    for chosen, right in zip(predicted, marked, strict=True):
        given, gold = spans_of(chosen), spans_of(right)
        hits = sum(
            max((_iou(span, other) for other in gold), default=0.0) >= threshold
            for span in given
        )
        if given:
            precisions.append(hits / len(given))
        if gold:
            recalls.append(hits / len(gold))
    precision = float(np.mean(precisions)) if precisions else 0.0
    recall = float(np.mean(recalls)) if recalls else 0.0
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0


def average_precision_area(
    scores: np.ndarray, marked: np.ndarray, valid: np.ndarray
) -> np.ndarray:
    """``(B,)``: the area under precision over recall, by trapezoids, as ERASER has it.

    Thresholds are the distinct scores of an example; the curve starts at recall 0 with
    precision 1. NaN where no valid token is marked.
    """
    return np.array(
        [
            _area(np.asarray(row)[seen], np.asarray(right, bool)[seen])
            for row, right, seen in zip(
                scores, marked, np.asarray(valid, bool), strict=True
            )
        ]
    )


def spans_of(chosen: np.ndarray) -> list[Span]:
    """The runs of chosen tokens in one row ``(S,)``."""
    edges = np.diff(np.asarray(chosen, bool).astype(int), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def _iou(first: Span, second: Span) -> float:
    common = min(first[1], second[1]) - max(first[0], second[0])
    together = first[1] - first[0] + second[1] - second[0] - max(common, 0)
    return max(common, 0) / together


def _area(scores: np.ndarray, marked: np.ndarray) -> float:
    if not marked.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(marked[order])
    last = np.append(np.diff(scores[order]) != 0, True)  # of those that score alike
    precision = (hits / np.arange(1, len(hits) + 1))[last]
    recall = (hits / hits[-1])[last]
    precision, recall = np.append(1.0, precision), np.append(0.0, recall)
    return float((np.diff(recall) * (precision[1:] + precision[:-1]) / 2).sum())
