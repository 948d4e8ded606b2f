"""Sphinx cepstra for the teacher: 13 cepstra, deltas and double deltas, mean-normalised over the utterance.

Pre-emphasis .97, 410-sample Hamming window every 160, 25 mel filters of unit area from 130 to 6800 Hz with edges on FFT
bins, ln(energy + 1e-4), orthonormal DCT-II, lifter 22. No noise removal: it hardly moves the alignment.
"""
import numpy as np
from scipy.fft import rfft

FRAME, HOP, FFT, FILTERS, CEPSTRA, LIFTER = 410, 160, 512, 25, 13, 22
LOW_HZ, HIGH_HZ, SAMPLE_RATE_HZ = 130.0, 6800.0, 16000


def filterbank():
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOW_HZ, HIGH_HZ))
    edges = 700 * (10 ** (np.linspace(low, high, FILTERS + 2) / 2595) - 1)
    bins = np.floor(edges * FFT / SAMPLE_RATE_HZ + 0.5)
    k = np.arange(FFT // 2 + 1)
    rows = []
    for left, middle, right in zip(bins, bins[1:], bins[2:]):
        triangle = np.minimum((k - left) / (middle - left), (right - k) / (right - middle))
        rows.append(np.maximum(0, triangle) * 2 / ((right - left) * SAMPLE_RATE_HZ / FFT))
    return np.array(rows, np.float32)


def cosines():
    basis = np.cos(np.pi / FILTERS * np.outer(np.arange(CEPSTRA), np.arange(FILTERS) + 0.5)) * np.sqrt(2 / FILTERS)
    basis[0] /= np.sqrt(2)
    lift = 1 + LIFTER / 2 * np.sin(np.arange(CEPSTRA) * np.pi / LIFTER)
    return (basis * lift[:, None]).T.astype(np.float32)


MEL, DCT, HAMMING = filterbank(), cosines(), np.hamming(FRAME).astype(np.float32)


def cepstra(samples):
    """int16 samples [n] -> [frames, 39]; frame k begins at sample 160k."""
    x = np.asarray(samples, np.float32)
    emphasised = np.concatenate([x[:1], x[1:] - np.float32(0.97) * x[:-1]])
    frames = 1 + (len(x) - FRAME) // HOP
    step = emphasised.strides[0]
    windows = np.lib.stride_tricks.as_strided(emphasised, (frames, FRAME), (step * HOP, step))
    power = np.abs(rfft(windows * HAMMING, FFT, axis=1)) ** 2
    static = np.log(power @ MEL.T + 1e-4) @ DCT
    static = static - static.mean(0)
    padded = np.pad(static, ((3, 3), (0, 0)), "edge")

    def at(shift):
        return padded[3 + shift: 3 + shift + frames]

    return np.concatenate([static, at(2) - at(-2), (at(3) - at(-1)) - (at(1) - at(-3))], 1)
