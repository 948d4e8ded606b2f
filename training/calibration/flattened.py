"""A regressor of calibration.json over many rows: what src/scoring/calibrate/regressor.ts does one by one."""
import numpy as np

from .perceptron import LIMIT


def predict(model, x):
    """model: a regressor of kind `sum`, `trees` or `layers`; x [n, inputs] -> [n]."""
    if model["kind"] == "sum":
        return sum(part["weight"] * predict(part["model"], x) for part in model["of"])
    return (walk if model["kind"] == "trees" else layers)(model, x)


def walk(model, x):
    feature, left, right, value = (np.array(model[key]) for key in ("feature", "left", "right", "value"))
    threshold, x = np.array(model["threshold"], np.float32), x.astype(np.float32)
    rows, total = np.arange(len(x)), np.full(len(x), model["base"])
    for root in model["roots"]:
        node = np.full(len(x), root)
        while (inner := feature[node] >= 0).any():
            goes_left = x[rows, np.maximum(feature[node], 0)] <= threshold[node]
            node = np.where(inner, np.where(goes_left, left[node], right[node]), node)
        total += value[node]
    return total


def layers(model, x):
    values = np.clip((x - np.array(model["mean"])) / np.array(model["deviation"]), -LIMIT, LIMIT)
    for number, layer in enumerate(model["layers"]):
        bias = np.array(layer["bias"])
        values = values @ np.reshape(layer["weight"], (len(bias), -1)).T + bias
        values = values if number == len(model["layers"]) - 1 else np.maximum(values, 0)
    return values[:, 0]
