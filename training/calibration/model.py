"""The whole calibrator: scores alone, their confidence, scores in context.

Inputs of a phone: its segment features, one number a phone that is 1 for the expected one, then that phone's priors.
"""
import numpy as np

from learner.phones import PHONES
from learner.segments import NAMES as NAMED

from . import context, trees
from .line import Line
from .perceptron import Perceptron

SEEDS = (0, 1)
CLOSE = 0.5
PRIOR_WEIGHT = 50
BAD_BELOW, BAD_WEIGHT = 1.0, 2.0
LINE_SHARE = 0.15
CONFIDENCE_SETTINGS = {"max_iter": 60}


class Calibrator:
    """Fitted on a Table; `fit_on_held_out` adds what needs the scores alone that other folds' calibrators gave."""

    def __init__(self, table):
        self.unheard = unheard_score(table)
        table = table.take(table.heard)
        self.priors = phone_priors(table)
        x = self._inputs(table)
        plain = np.zeros(x.shape[1], bool)
        plain[table.features.shape[1]: -self.priors.shape[1]] = True
        weights = np.where(table.scores < BAD_BELOW, BAD_WEIGHT, 1.0)
        self.trees = [trees.fit(x, table.scores, seed, weights) for seed in SEEDS]
        self.perceptron = Perceptron(x, table.scores, plain, SEEDS)
        self.line = Line(x, table.scores)

    def fit_on_held_out(self, table, alone):
        """The second stage: `alone` [n] are out-of-fold scores of the same rows."""
        near = self._with_score(table, alone)[table.heard]
        wide = self._with_context(table, alone)[table.heard]
        table, alone = table.take(table.heard), alone[table.heard]
        right = (np.abs(alone - table.scores) < CLOSE).astype(float)
        self.confident = [trees.fit(near, right, **CONFIDENCE_SETTINGS)]
        self.contextual = [trees.fit(wide, table.scores, seed) for seed in SEEDS]

    def alone(self, table):
        """[n] scores 0-2 from each phone's own segment."""
        x = self._inputs(table)
        wooden = np.mean([m.predict(x) for m in self.trees], 0)
        learned = (1 - LINE_SHARE) * (wooden + self.perceptron.predict(x)) / 2
        return np.where(table.heard, np.clip(learned + LINE_SHARE * self.line.predict(x), 0, 2), self.unheard["score"])

    def confidence(self, table, alone):
        """[n] probability that the experts' mean lies within CLOSE of the score."""
        return np.clip(self.confident[0].predict(self._with_score(table, alone)), 0, 1)

    def in_context(self, table, alone):
        """[n] scores 0-2 with the phone's word and utterance."""
        found = np.mean([m.predict(self._with_context(table, alone)) for m in self.contextual], 0)
        return np.where(table.heard, np.clip(found, 0, 2), self.unheard["score"])

    def flatten(self):
        """The fitted parts of calibration.json."""
        networks = self.perceptron.flatten()
        parts = [{"weight": 0.5, "model": trees.flatten(self.trees)}]
        parts += [{"weight": 0.5 / len(networks), "model": network} for network in networks]
        score = self.line.join({"kind": "sum", "of": parts}, LINE_SHARE)
        return {"unheard": self.unheard, "phone_priors": np.round(self.priors, 4).tolist(), "score": score,
                "confidence": trees.flatten(self.confident), "score_in_context": trees.flatten(self.contextual)}

    def _inputs(self, table):
        return np.concatenate([table.features, np.eye(len(PHONES))[table.phones], self.priors[table.phones]], 1)

    def _with_score(self, table, alone):
        return np.concatenate([self._inputs(table), alone[:, None]], 1)

    def _with_context(self, table, alone):
        return np.concatenate([self._inputs(table), context.of_table(table, alone, NAMED)], 1)


def unheard_score(table):
    """What experts give a phone that the aligner did not hear, and how often they are within CLOSE of it."""
    scores = table.scores[~table.heard]
    if not len(scores):
        return {"score": 0.0, "confidence": 1.0}
    score = round(float(scores.mean()), 4)
    return {"score": score, "confidence": round(float((np.abs(scores - score) < CLOSE).mean()), 4)}


def phone_priors(table):
    """[39, 2]: each phone's mean score and share below BAD_BELOW, drawn towards the mean of all phones."""
    values = np.stack([table.scores, table.scores < BAD_BELOW], 1)
    overall = values.mean(0)
    priors = []
    for phone in range(len(PHONES)):
        own = values[table.phones == phone]
        priors.append((own.sum(0) + PRIOR_WEIGHT * overall) / (len(own) + PRIOR_WEIGHT))
    return np.array(priors)
