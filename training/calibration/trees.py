"""Gradient-boosted regression trees, flattened into arrays that the engine walks (src/scoring/calibrate/regressor.ts, `trees`)."""
import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

SETTINGS = {"max_iter": 200, "learning_rate": 0.05, "max_leaf_nodes": 15, "min_samples_leaf": 60, "l2_regularization": 5.0}


def fit(x, y, seed=0, weights=None, **settings):
    """Fit on x [n, inputs], y [n]; returns a fitted model with `predict`."""
    model = HistGradientBoostingRegressor(**{**SETTINGS, **settings}, random_state=seed, early_stopping=False)
    return model.fit(x, y, sample_weight=weights)


def flatten(models):
    """The mean of several fitted models as one table: go left when input[feature] <= threshold; -1 marks a leaf."""
    table = {"kind": "trees", "base": float(np.mean([np.ravel(m._baseline_prediction)[0] for m in models])), "roots": [],
             "feature": [], "threshold": [], "left": [], "right": [], "value": []}
    for model in models:
        for (tree,) in model._predictors:
            first = len(table["feature"])
            table["roots"].append(first)
            for node in tree.nodes:
                leaf = bool(node["is_leaf"])
                table["feature"].append(-1 if leaf else int(node["feature_idx"]))
                table["threshold"].append(0 if leaf else short(node["num_threshold"]))
                table["left"].append(0 if leaf else first + int(node["left"]))
                table["right"].append(0 if leaf else first + int(node["right"]))
                table["value"].append(short(node["value"] / len(models)) if leaf else 0)
    return table


def short(value):
    """Five significant digits: shorter JSON, no visible change of score."""
    return float(f"{value:.5g}")
