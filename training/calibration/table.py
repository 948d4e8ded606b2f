"""The rows a calibrator is fitted on: one phone each, in utterance order."""
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from learner.phones import index_of


@dataclass
class Table:
    """One row a phone.

    features [n, F], zeros where the phone was not heard; phones, words, utterances, groups (speaker fold) [n] integers;
    scores [n] human 0-2; heard [n] whether the aligner found the phone at all.
    """

    features: np.ndarray
    phones: np.ndarray
    words: np.ndarray
    utterances: np.ndarray
    groups: np.ndarray
    scores: np.ndarray
    heard: np.ndarray

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
        parts.append((packed["features"], packed["phones"], packed["words"], order, np.full(count, group), packed["scores"],
                      np.ones(count, bool)))
    return Table(*(np.concatenate(column) for column in zip(*parts)))


def from_engine(folder):
    """The engine's own features of held-out speakers: each FOLDER/fK.features.jsonl beside FOLDER/fK.truth.jsonl."""
    columns, utterance = [], 0
    for group, path in enumerate(sorted(Path(folder).glob("f?.features.jsonl"))):
        truth = {row["id"]: row for row in lines(str(path).replace("features", "truth"))}
        for row in lines(path):
            scores = [s for word in truth[row["id"]]["words"] for s in word["scores"]]
            flat = [(word, phone, values) for word, said in enumerate(row["words"])
                    for phone, values in zip(said["phones"], said["features"])]
            if len(flat) != len(scores):
                raise ValueError(f"{row['id']}: {len(flat)} phones where {len(scores)} were judged")
            columns += [(values, index_of(phone), word, utterance, group, score)
                        for (word, phone, values), score in zip(flat, scores)]
            utterance += 1
    features, *rest = zip(*columns)
    width = len(next(values for values in features if values))
    matrix = np.array([values or [0.0] * width for values in features], np.float32)
    return Table(matrix, *(np.array(column) for column in rest), np.array([values is not None for values in features]))


def lines(path):
    return [json.loads(line) for line in open(path, encoding="utf8")]
