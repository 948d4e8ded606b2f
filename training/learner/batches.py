"""Batches of varied utterances of similar length."""
import numpy as np
import torch

from .augment import mask, vary
from .logmel import BINS, normalise
from .network import DELAY_STEPS, STACK
from .phones import SILENCE_INDEX
from .prepare import SPEEDS

IGNORED = -100
HOPS_A_BATCH = 9000


def plan(utterances, rng):
    """Lists of indices: every utterance once, neighbours in length together, batches in random order."""
    lengths = np.array([len(u.labels) for u in utterances])
    order = np.argsort(lengths * np.exp(rng.normal(0, 0.08, len(lengths))))
    batches, current, longest = [], [], 0
    for at in order:
        longest = max(longest, lengths[at])
        if current and longest * (len(current) + 1) > HOPS_A_BATCH:
            batches.append(current)
            current, longest = [], lengths[at]
        current.append(at)
    batches.append(current)
    return [batches[i] for i in rng.permutation(len(batches))]


def example(utterance, statistics, rng):
    """One varied utterance: (normalised [frames, 40], labels, scores)."""
    features, labels, scores = utterance.at(list(SPEEDS)[rng.integers(len(SPEEDS))])
    spoken = np.flatnonzero(labels != SILENCE_INDEX)
    first = max(0, spoken[0] - rng.integers(10, 60))
    end = min(len(labels), spoken[-1] + rng.integers(10, 50))
    piece = features[first:end]
    piece = vary(piece, rng) if rng.random() < 0.85 else piece.astype(np.float32)
    normalised = normalise(piece, *statistics).astype(np.float32)
    return (mask(normalised, rng) if rng.random() < 0.6 else normalised), labels[first:end], scores[first:end]


def pack(examples):
    """Padded tensors: x [B, T, 80] bfloat16, labels [B, T] (IGNORED where nothing is asked), scores [B, T]."""
    steps = max(len(x) for x, _, _ in examples) // STACK + DELAY_STEPS
    x = np.zeros((len(examples), steps * STACK, BINS), np.float32)
    labels = np.full((len(examples), steps), IGNORED)
    scores = np.full((len(examples), steps), 2.0, np.float32)
    for row, (features, phones, judged) in enumerate(examples):
        count = len(features) // STACK
        x[row, : count * STACK] = features[: count * STACK]
        labels[row, DELAY_STEPS: DELAY_STEPS + count] = phones[1::STACK][:count]
        scores[row, DELAY_STEPS: DELAY_STEPS + count] = judged[1::STACK][:count]
    stacked = torch.from_numpy(x.reshape(len(examples), steps, STACK * BINS)).bfloat16()
    return stacked, torch.from_numpy(labels), torch.from_numpy(scores)
