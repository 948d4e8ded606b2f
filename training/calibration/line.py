"""A straight line from the mean log-posterior of the expected phone to the score.

The trees and the perceptron are fitted on one first language and flatten what they have not met; the line keeps the
order of the evidence among them. One `layers` regressor of one layer for the engine (src/scoring/calibrate/regressor.ts).
"""
import numpy as np

from .perceptron import LIMIT
from .trees import short


class Line:
    """Least squares of y [n] on column 0 of x [n, inputs], clipped as the engine clips a standardised input."""

    def __init__(self, x, y):
        self.inputs = x.shape[1]
        self.mean, self.deviation = float(x[:, 0].mean()), float(x[:, 0].std())
        self.slope, self.level = (float(v) for v in np.polyfit(self._standard(x), y, 1))

    def _standard(self, x):
        return np.clip((x[:, 0] - self.mean) / self.deviation, -LIMIT, LIMIT)

    def predict(self, x):
        return self.level + self.slope * self._standard(x)

    def join(self, score, share):
        """The `sum` regressor `score` and this line in one `sum`; `share` of it is the line."""
        others = [{**part, "weight": short((1 - share) * part["weight"])} for part in score["of"]]
        return {"kind": "sum", "of": [*others, {"weight": share, "model": self.flatten()}]}

    def flatten(self):
        rest = self.inputs - 1
        layer = {"weight": [short(self.slope)] + [0] * rest, "bias": [short(self.level)]}
        return {"kind": "layers", "mean": [short(self.mean)] + [0] * rest,
                "deviation": [short(self.deviation)] + [1] * rest, "layers": [layer]}
