"""AUROC, AUPRC and FPR at 95 % TPR of a score."""

import dataclasses

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

_TPR = 0.95


@dataclasses.dataclass(frozen=True)
class Detection:
    """Figures of a score that is meant to be higher for in-distribution examples, the positive class.

    Attributes:
        auroc: float in [0, 1]. Probability that an in-distribution example scores higher than another:
            0.5 for guessing, below it where the score has it backwards.
        auroc_error: float. Its standard error over the examples of both sets: DeLong et al. (1988),
            Comparing the Areas under Two or More Correlated ROC Curves, equation 4. NaN where a
            set has one example.
        auprc: float in [0, 1]. Average precision; for guessing the share of in-distribution examples.
        fpr_at_95_tpr: float in [0, 1]. Share of the others that are let in at the highest threshold
            that lets 95 % of the in-distribution examples in; for guessing 0.95.
        scores_in: tuple of float. Scores of the in-distribution examples.
        scores_out: tuple of float. Scores of the others.
    """

    auroc: float
    auroc_error: float
    auprc: float
    fpr_at_95_tpr: float
    scores_in: tuple[float, ...]
    scores_out: tuple[float, ...]


def detection(scores_in: np.ndarray, scores_out: np.ndarray) -> Detection:
    """AUROC, average precision and FPR at 95 % TPR of finite scores.

    Args:
        scores_in: `[N]`, of in-distribution examples.
        scores_out: `[M]`, of others.
    """
    scores = np.concatenate([scores_in, scores_out]).astype(np.float64)
    is_in = np.repeat([1, 0], [len(scores_in), len(scores_out)])
    fpr, tpr, _ = roc_curve(is_in, scores, drop_intermediate=False)
    return Detection(
        auroc=float(roc_auc_score(is_in, scores)),
        auroc_error=_auroc_error(scores_in, scores_out),
        auprc=float(average_precision_score(is_in, scores)),
        fpr_at_95_tpr=float(fpr[np.argmax(tpr >= _TPR)]),
        scores_in=tuple(float(score) for score in scores_in),
        scores_out=tuple(float(score) for score in scores_out),
    )


def _auroc_error(scores_in: np.ndarray, scores_out: np.ndarray) -> float:
    """The square root of Var(V_in) / N + Var(V_out) / M, V the share of the others that one beats."""
    if min(len(scores_in), len(scores_out)) < 2:
        return float("nan")
    beats_out = _share_below(scores_in, scores_out)
    beaten_by_in = 1 - _share_below(scores_out, scores_in)
    variance = beats_out.var(ddof=1) / len(scores_in) + beaten_by_in.var(ddof=1) / len(scores_out)
    return float(np.sqrt(variance))


def _share_below(scores: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The share of `others` below each score, ties counted half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, scores, "left") + np.searchsorted(ordered, scores, "right")
    return below / (2 * len(others))
