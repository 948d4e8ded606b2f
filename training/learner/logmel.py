"""Log-mel features and their causal normalisation: the arithmetic that the engine repeats in TypeScript.

Frame k covers samples [160k, 160k + 400). Hann window (symmetric), 512-point power spectrum on the int16 scale,
40 triangular filters of peak 1, linear in mel = 1127 ln(1 + f/700) from 60 to 7600 Hz, then ln(energy + 1000).
"""
import numpy as np
from scipy.fft import rfft

SAMPLE_RATE_HZ, WINDOW, HOP, FFT = 16000, 400, 160, 512
BINS, LOW_HZ, HIGH_HZ, FLOOR = 40, 60.0, 7600.0, 1e3
PRIOR_FRAMES, GATE_NATS, DECAY_NATS_PER_FRAME = 100.0, 3.5, 0.002


def filterbank():
    """[BINS, FFT/2 + 1] triangular filters."""
    centres = np.linspace(mel(LOW_HZ), mel(HIGH_HZ), BINS + 2)
    bins = mel(np.arange(FFT // 2 + 1) * SAMPLE_RATE_HZ / FFT)
    left, middle, right = centres[:-2, None], centres[1:-1, None], centres[2:, None]
    rising, falling = (bins - left) / (middle - left), (right - bins) / (right - middle)
    return np.maximum(0, np.minimum(rising, falling))


def mel(hz):
    return 1127.0 * np.log1p(np.asarray(hz, np.float64) / 700.0)


FILTERS = filterbank()
HANN = np.hanning(WINDOW)


def frame_count(samples):
    """Whole frames in a number of samples."""
    return 0 if samples < WINDOW else 1 + (samples - WINDOW) // HOP


def log_mel(samples, dtype=np.float32):
    """[n] samples on the int16 scale -> [frames, BINS] natural logarithms."""
    samples = np.ascontiguousarray(samples, dtype)
    frames = frame_count(len(samples))
    step = samples.strides[0]
    windows = np.lib.stride_tricks.as_strided(samples, (frames, WINDOW), (step * HOP, step))
    power = np.abs(rfft(windows * HANN.astype(dtype), FFT, axis=1)) ** 2
    return np.log(power @ FILTERS.T.astype(dtype) + FLOOR)


def normalise(features, mean, deviation):
    """Causal running mean, fixed deviation: [frames, BINS] -> the same shape.

    A tracker follows the peak of the frame's mean log energy, falling by DECAY_NATS_PER_FRAME a frame. A frame counts
    towards the mean, itself included, when it lies within GATE_NATS of that peak; `mean` counts as PRIOR_FRAMES frames.
    """
    ramp = np.arange(len(features)) * DECAY_NATS_PER_FRAME
    loudness = features.mean(1)
    peak = np.maximum.accumulate(loudness + ramp) - ramp
    counted = (loudness > peak - GATE_NATS)[:, None]
    running = np.cumsum(features * counted, 0, dtype=np.float64) + PRIOR_FRAMES * np.asarray(mean)
    running /= np.cumsum(counted, 0) + PRIOR_FRAMES
    return (features - running) / np.asarray(deviation)
