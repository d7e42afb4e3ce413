"""What attention does in numbers, and whether it explains what a model says.

Every mean over examples comes with ``n`` and an interval (``bootstrap``), and every
measure of explanations with what random rankings and gradients reach.
"""

from regard.seeing.metrics.ablation import head_ablation, head_sensitivity
from regard.seeing.metrics.adversary import Adversary, adversarial_weights
from regard.seeing.metrics.agreement import kendall_tau, random_tau
from regard.seeing.metrics.attribution import (
    gradient_times_attention,
    relevance,
    weight_gradients,
)
from regard.seeing.metrics.classifier import Classifier
from regard.seeing.metrics.controls import (
    accuracy,
    seed_divergence,
    uniform_predictions,
)
from regard.seeing.metrics.erasure import flip_fraction, flips
from regard.seeing.metrics.evidence import evidence
from regard.seeing.metrics.faithfulness import (
    Drops,
    comprehensiveness,
    over_random,
    sufficiency,
)
from regard.seeing.metrics.flow import attention_flow
from regard.seeing.metrics.input_gradients import gradient_times_input
from regard.seeing.metrics.intervals import Interval, bootstrap, paired
from regard.seeing.metrics.norms import (
    contribution_norms,
    head_norms,
    transformed_values,
)
from regard.seeing.metrics.overview import Head, overview
from regard.seeing.metrics.permutation import Permutation, permutation_test
from regard.seeing.metrics.questions import (
    NOT_TESTED,
    REFUTES,
    SUPPORTS,
    Evidence,
)
from regard.seeing.metrics.rationales import (
    average_precision_area,
    iou_f1,
    token_f1,
    top_tokens,
)
from regard.seeing.metrics.received import received
from regard.seeing.metrics.removal import deleted, hidden, replaced_by
from regard.seeing.metrics.rollout import cross_rollout, over_uniform, rollout
from regard.seeing.metrics.settings import Settings
from regard.seeing.metrics.spans import (
    mean_distance,
    mean_offset,
    span,
    uniform_distance,
)
from regard.seeing.metrics.speech import (
    coverage,
    coverage_deviation,
    focus_rate,
    monotonicity,
)
from regard.seeing.metrics.token_times import token_frames

__all__ = [
    "NOT_TESTED",
    "REFUTES",
    "SUPPORTS",
    "Adversary",
    "Classifier",
    "Drops",
    "Evidence",
    "Head",
    "Interval",
    "Permutation",
    "Settings",
    "accuracy",
    "adversarial_weights",
    "attention_flow",
    "average_precision_area",
    "bootstrap",
    "comprehensiveness",
    "contribution_norms",
    "coverage",
    "coverage_deviation",
    "cross_rollout",
    "deleted",
    "evidence",
    "flip_fraction",
    "flips",
    "focus_rate",
    "gradient_times_attention",
    "gradient_times_input",
    "head_ablation",
    "head_norms",
    "head_sensitivity",
    "hidden",
    "iou_f1",
    "kendall_tau",
    "mean_distance",
    "mean_offset",
    "monotonicity",
    "over_random",
    "over_uniform",
    "overview",
    "paired",
    "permutation_test",
    "random_tau",
    "received",
    "relevance",
    "replaced_by",
    "rollout",
    "seed_divergence",
    "span",
    "sufficiency",
    "token_f1",
    "token_frames",
    "top_tokens",
    "transformed_values",
    "uniform_distance",
    "uniform_predictions",
    "weight_gradients",
]
