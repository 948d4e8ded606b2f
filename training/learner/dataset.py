"""Training utterances in memory: log-mel at every speed, a label and a score a frame, speaker folds."""
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import store
from .phones import SILENCE_INDEX
from .prepare import SPEEDS

FOLDS = 5


@dataclass
class Utterance:
    """features {speed: [frames, 40] float16}; labels, scores [frames] at speed 1 (score 0-2; 2 where nobody judged)."""

    id: str
    speaker: str
    learner: bool
    features: dict
    labels: np.ndarray
    scores: np.ndarray

    def at(self, speed):
        """(features, labels, scores) of one speed, frame for frame."""
        features = self.features[speed]
        frames = np.minimum((np.arange(len(features)) * speed).astype(int), len(self.labels) - 1)
        return features, self.labels[frames], self.scores[frames]


def load(cache, corpus, alignment="align"):
    """Every utterance of a prepared corpus; `alignment` names the labels to use (CACHE/CORPUS.ALIGNMENT.jsonl)."""
    rows = store.rows(cache, corpus)
    packed = np.load(Path(cache) / f"{corpus}.features.npz")
    features, offsets = packed["features"], packed["offsets"]
    aligned = alignments(cache, corpus, alignment) if "labels" not in rows[0] else {}
    utterances = []
    for number, row in enumerate(rows):
        ends = offsets[number * len(SPEEDS): (number + 1) * len(SPEEDS) + 1]
        by_speed = {s: features[a:b] for s, a, b in zip(SPEEDS, ends, ends[1:])}
        labels, scores = frame_labels(row, aligned.get(row["id"]), len(by_speed[1.0]))
        if (labels != SILENCE_INDEX).any():
            utterances.append(Utterance(row["id"], row["speaker"], corpus == "learners", by_speed, labels, scores))
    return utterances


def alignments(cache, corpus, alignment):
    """{utterance id: alignment row}."""
    lines = open(Path(cache) / f"{corpus}.{alignment}.jsonl", encoding="utf8")
    return {row["id"]: row for row in map(json.loads, lines)}


def frame_labels(row, aligned, frames):
    labels = np.full(frames, SILENCE_INDEX, np.int64)
    scores = np.full(frames, 2.0, np.float32)
    if aligned is None:
        own = np.array(row["labels"][:frames])
        labels[: len(own)] = own
        return labels, scores
    judged = [s for word in row["words"] for s in word.get("scores", [])] or [2.0] * len(aligned["phones"])
    for phone, (first, end), score in zip(aligned["phones"], aligned["segments"], judged):
        labels[first:end], scores[first:end] = phone, score
    return labels, scores


def fold_of(speakers):
    """{speaker: fold number}, sorted speakers dealt in turn."""
    return {speaker: number % FOLDS for number, speaker in enumerate(sorted(set(speakers)))}
