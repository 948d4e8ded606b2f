"""Cheap variety, added to log-mel: voice, room, noise, telephone band, then masks after normalisation."""
import numpy as np
from scipy.signal import lfilter

from .logmel import BINS, HIGH_HZ, LOW_HZ, mel

POSITION = np.linspace(0, 1, BINS, dtype=np.float32)
COSINES = np.stack([np.cos(np.pi * k * POSITION) for k in (1, 2, 3)]).astype(np.float32)
NATS_PER_DECIBEL = np.log(10) / 10


def vary(features, rng):
    """[frames, 40] log-mel of one utterance -> a varied copy."""
    out = features.astype(np.float32)
    if rng.random() < 0.5:
        out = out @ frequency_warp(rng.uniform(0.9, 1.12))
    out += np.float32(rng.normal())
    if rng.random() < 0.7:
        out += random_slope(rng, 0.5)
    if rng.random() < 0.25:
        out = add_room(out, rng)
    if rng.random() < 0.5:
        out = add_noise(out, rng)
    if rng.random() < 0.12:
        first = rng.integers(24, 34)
        out[:, first:] = np.minimum(out[:, first:], np.float32(6.9 + rng.normal(0, 0.3)))
    return out


def mask(normalised, rng):
    """SpecAugment: two bands and two stretches of a normalised utterance set to its mean, in place."""
    for _ in range(2):
        width = rng.integers(0, 7)
        first = rng.integers(0, BINS - width)
        normalised[:, first: first + width] = 0
        width = rng.integers(0, 8)
        first = rng.integers(0, max(1, len(normalised) - width))
        normalised[first: first + width] = 0
    return normalised


def frequency_warp(ratio):
    """[40, 40] matrix that reads each bin at `ratio` times its frequency: another vocal tract."""
    centres = np.linspace(mel(LOW_HZ), mel(HIGH_HZ), BINS + 2)[1:-1]
    wanted = mel(700 * np.expm1(centres / 1127) * ratio)
    at = np.clip((wanted - centres[0]) / (centres[1] - centres[0]), 0, BINS - 1)
    low = np.minimum(at.astype(int), BINS - 2)
    matrix = np.zeros((BINS, BINS), np.float32)
    matrix[low, np.arange(BINS)] = 1 - (at - low)
    matrix[low + 1, np.arange(BINS)] = at - low
    return matrix


def random_slope(rng, size):
    weights = rng.normal(0, size / np.sqrt([1, 2, 3])).astype(np.float32)
    return weights @ COSINES


def add_room(features, rng):
    """A reverberant tail: each band's energy decays over 5 to 20 frames."""
    decay = np.exp(-1 / rng.uniform(5, 20))
    amount = rng.uniform(0.05, 0.4) * (1 - decay)
    power = np.exp(features)
    return np.log(power + amount * lfilter([0, 1], [1, -decay], power, axis=0) + 1).astype(np.float32)


def add_noise(features, rng):
    """Steady coloured noise, 5 to 32 dB below the loud frames."""
    loud = np.quantile(features.mean(1), 0.85)
    colour = random_slope(rng, 1.2)
    level = loud - rng.uniform(5, 32) * NATS_PER_DECIBEL
    noise = colour - colour.mean() + level + 0.35 * rng.standard_normal(features.shape, np.float32)
    return np.logaddexp(features, noise.astype(np.float32))
