"""The whole calibrator: scores alone, their confidence, scores in context."""
import numpy as np

from learner.phones import PHONES
from learner.segments import NAMES as NAMED

from . import context, trees
from .perceptron import Perceptron

SEEDS = (0, 1)
CLOSE = 0.5
PRIOR_WEIGHT = 50
CONFIDENCE_SETTINGS = {"max_iter": 60}


class Calibrator:
    """Fitted on a Table and, for the context, on the scores alone that other folds' calibrators gave it."""

    def __init__(self, table, weights=None):
        self.priors = phone_priors(table, weights)
        x = self._numbers(table)
        self.trees = [trees.fit(x, table.scores, seed, weights) for seed in SEEDS]
        self.perceptron = Perceptron(table.features, table.phones, table.scores, SEEDS)

    def fit_on_held_out(self, table, alone, weights=None):
        """The second stage: `alone` [n] are out-of-fold scores of the same rows."""
        right = (np.abs(alone - table.scores) < CLOSE).astype(float)
        self.confident = [trees.fit(self._confidence_inputs(table, alone), right, 0, weights, **CONFIDENCE_SETTINGS)]
        self.contextual = [trees.fit(self._context_inputs(table, alone), table.scores, seed, weights) for seed in SEEDS]

    def alone(self, table):
        """[n] scores 0-2 from each phone's own segment."""
        wooden = np.mean([m.predict(self._numbers(table)) for m in self.trees], 0)
        return np.clip((wooden + self.perceptron.predict(table.features, table.phones)) / 2, 0, 2)

    def confidence(self, table, alone):
        """[n] probability that the experts' mean lies within CLOSE of the score."""
        return np.clip(self.confident[0].predict(self._confidence_inputs(table, alone)), 0, 1)

    def in_context(self, table, alone):
        """[n] scores 0-2 with the phone's word and utterance."""
        return np.clip(np.mean([m.predict(self._context_inputs(table, alone)) for m in self.contextual], 0), 0, 2)

    def flatten(self):
        """JSON of calibration.json, without thresholds."""
        return {"phone_priors": np.round(self.priors, 4).tolist(), "trees": trees.flatten(self.trees),
                "perceptron": self.perceptron.flatten(), "confidence": trees.flatten(self.confident),
                "context": trees.flatten(self.contextual)}

    def _numbers(self, table):
        return np.concatenate([table.features, self.priors[table.phones]], 1)

    def _confidence_inputs(self, table, alone):
        return np.concatenate([self._numbers(table), alone[:, None]], 1)

    def _context_inputs(self, table, alone):
        return np.concatenate([self._numbers(table), context.of_table(table, alone, NAMED)], 1)


def phone_priors(table, weights):
    """[39, 2]: each phone's mean score and share below 1, drawn towards the mean of all phones."""
    weights = np.ones(len(table.scores)) if weights is None else weights
    values = np.stack([table.scores, table.scores < 1], 1)
    overall = np.average(values, 0, weights)
    priors = []
    for phone in range(len(PHONES)):
        own = table.phones == phone
        total = weights[own].sum()
        priors.append(((values[own] * weights[own, None]).sum(0) + PRIOR_WEIGHT * overall) / (total + PRIOR_WEIGHT))
    return np.array(priors)
