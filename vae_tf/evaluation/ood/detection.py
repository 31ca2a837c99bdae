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
        auprc: float in [0, 1]. Average precision; for guessing the share of in-distribution examples.
        fpr_at_95_tpr: float in [0, 1]. Share of the others that are let in at the highest threshold
            that lets 95 % of the in-distribution examples in; for guessing 0.95.
        scores_in: tuple of float. Scores of the in-distribution examples.
        scores_out: tuple of float. Scores of the others.
    """

    auroc: float
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
        auprc=float(average_precision_score(is_in, scores)),
        fpr_at_95_tpr=float(fpr[np.argmax(tpr >= _TPR)]),
        scores_in=tuple(float(score) for score in scores_in),
        scores_out=tuple(float(score) for score in scores_out),
    )
