"""What is measured of one phone: the features that the engine also computes (src/scoring/calibrate/features.ts, same names)."""
import numpy as np

from .phones import PHONES, SILENCE_INDEX

NAMES = ["lp", "lpmax", "lpr", "seglr", "seglp", "pp", "ver", "vermin", "vermax", "vmid", "vr", "ent", "psil", "top", "logdur"]
LOWEST = -12.0


def measure(log_posteriors, score_logits, first, end, phone):
    """Features of steps [first, end) for the canonical phone: NAMES, then 40 mean log posteriors, 39 mean score logits."""
    logs, values = log_posteriors[first:end], score_logits[first:end]
    mean_logs, mean_values = logs.mean(0), values.mean(0)
    own, said = logs[:, phone], values[:, phone]
    others = np.delete(mean_logs[: len(PHONES)], phone)
    probabilities = np.exp(logs)
    named = [
        mean_logs[phone], own.max(), (own - np.delete(logs, phone, 1).max(1)).mean(), mean_logs[phone] - others.max(),
        mean_logs[phone] - np.log(np.exp(mean_logs[: len(PHONES)]).sum()), np.exp(own).mean(),
        said.mean(), said.min(), said.max(), said[(end - first) // 2],
        said.mean() - np.delete(mean_values[: len(PHONES)], phone).mean(),
        -(probabilities * logs).sum(1).mean(), probabilities[:, SILENCE_INDEX].mean(),
        float(others.max() < mean_logs[phone]), np.log(end - first),
    ]
    return np.concatenate([named, np.maximum(mean_logs, LOWEST), mean_values[: len(PHONES)]]).astype(np.float32)
