"""The measures the project is judged by: AUC, correlation, recall at a false-alarm rate."""
import numpy as np
from scipy.stats import rankdata


def auc(good, bad):
    """P(a good phone scores above a bad one), ties half."""
    ranks = rankdata(np.concatenate([good, bad]))
    return (ranks[: len(good)].sum() - len(good) * (len(good) + 1) / 2) / (len(good) * len(bad))


def summary(scores, human):
    """AUC for < .5 against >= 1.5 and for < 1 against >= 1, correlation, recall of < .5 at 5 % false alarms."""
    good, bad = scores[human >= 1.5], scores[human < 0.5]
    threshold = np.quantile(good, 0.05)
    return {"auc": round(auc(good, bad), 4), "auc_below_1": round(auc(scores[human >= 1], scores[human < 1]), 4),
            "pcc": round(float(np.corrcoef(scores, human)[0, 1]), 4), "recall_5": round(float((bad < threshold).mean()), 4)}
