"""The rows a calibrator is fitted on: one phone each, in utterance order."""
from dataclasses import dataclass

import numpy as np


@dataclass
class Table:
    """features [n, F]; phones, words, utterances, groups (speaker fold) [n] integers; scores [n] human 0-2."""

    features: np.ndarray
    phones: np.ndarray
    words: np.ndarray
    utterances: np.ndarray
    groups: np.ndarray
    scores: np.ndarray

    def take(self, chosen):
        """The rows where `chosen` is true."""
        return Table(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def from_segments(paths):
    """Tables of learner.extract, one file a fold, in one."""
    parts, utterance = [], 0
    for group, path in enumerate(paths):
        packed = np.load(path)
        _, numbers = np.unique(packed["utterances"], return_inverse=True)
        first = np.r_[True, numbers[1:] != numbers[:-1]]
        order = np.cumsum(first) - 1 + utterance
        utterance = order[-1] + 1
        count = len(order)
        parts.append((packed["features"], packed["phones"], packed["words"], order, np.full(count, group), packed["scores"]))
    return Table(*(np.concatenate(column) for column in zip(*parts)))
