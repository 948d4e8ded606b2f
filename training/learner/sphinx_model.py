"""The CMU Sphinx en-us model as Debian's pocketsphinx-en-us ships it: its context-independent part, read by hand.

Phonetically tied mixtures: 42 codebooks of 3 streams (cepstra, delta, double delta; 13 dimensions each) of 128 diagonal
Gaussians; 42 phones (39 ARPAbet, SIL and two noises) of 3 states. Weights are bytes: ln w = -1024 byte ln(1.0001).
"""
import struct
from pathlib import Path

import numpy as np

FOLDER = Path("/usr/share/pocketsphinx/model/en-us/en-us")
STREAMS, STATES, DIMENSIONS = 3, 3, 13
VARIANCE_FLOOR = 1e-4


class Teacher:
    """Log-likelihoods of the context-independent states, and their transitions, in the order of `names`."""

    def __init__(self, folder=FOLDER):
        self.names, states = phones_and_states(folder / "mdef")
        means = gaussians(folder / "means")
        variances = np.maximum(gaussians(folder / "variances"), VARIANCE_FLOOR)
        log_weights = mixture_weights(folder / "sendump")
        self.quadratic = [quadratic_form(means[:, s], variances[:, s]) for s in range(STREAMS)]
        self.weights = [np.exp(log_weights[s][:, states]).transpose(1, 0, 2).astype(np.float32) for s in range(STREAMS)]
        matrix = transitions(folder / "transition_matrices")
        logs = np.log(np.maximum(matrix[: len(self.names)], 1e-10))
        self.log_stay = logs[:, [0, 1, 2], [0, 1, 2]]
        self.log_leave = logs[:, [0, 1, 2], [1, 2, 3]]

    def log_likelihoods(self, features, phones):
        """[frames, 39] cepstra with deltas -> [frames, phones, 3], for the phones asked for (indices into names)."""
        total = np.zeros((len(features), len(phones), STATES), np.float32)
        for stream in range(STREAMS):
            x = features[:, DIMENSIONS * stream: DIMENSIONS * (stream + 1)].astype(np.float32)
            expanded = np.concatenate([x * x, x, np.ones_like(x[:, :1])], 1)
            for at, phone in enumerate(phones):
                density = expanded @ self.quadratic[stream][phone]
                peak = density.max(1, keepdims=True)
                total[:, at] += np.log(np.exp(density - peak) @ self.weights[stream][phone] + 1e-30) + peak
        return total


def quadratic_form(mean, variance):
    """[42, 128, 13] means and variances -> [42, 27, 128]: ln N(x) = [x*x, x, 1] @ form."""
    constant = -0.5 * (np.log(2 * np.pi * variance) + mean * mean / variance).sum(-1)
    form = np.concatenate([-0.5 / variance, mean / variance, constant[..., None]], -1)
    return form.transpose(0, 2, 1).astype(np.float32)


def payload(path):
    """The bytes after an S3 header and its byte-order mark."""
    raw = path.read_bytes()
    start = raw.index(b"endhdr\n") + 7
    if struct.unpack("<I", raw[start: start + 4])[0] != 0x11223344:
        raise ValueError(f"{path}: not little-endian")
    return raw[start + 4:]


def gaussians(path):
    raw = payload(path)
    codebooks, streams, densities = struct.unpack("<3i", raw[:12])
    at = 12 + 4 * streams
    count = struct.unpack("<i", raw[at: at + 4])[0]
    values = np.frombuffer(raw, "<f4", count, at + 4)
    return values.reshape(codebooks, streams, densities, DIMENSIONS).astype(np.float64)


def transitions(path):
    raw = payload(path)
    count, rows, columns, values = struct.unpack("<4i", raw[:16])
    matrix = np.frombuffer(raw, "<f4", values, 16).reshape(count, rows, columns)
    return matrix / matrix.sum(-1, keepdims=True)


def mixture_weights(path):
    """[3 streams, 128 densities, senones] natural logarithms."""
    raw, at = path.read_bytes(), 0
    while True:
        length = struct.unpack("<i", raw[at: at + 4])[0]
        at += 4 + length
        if length == 0:
            break
    densities, senones = struct.unpack("<2i", raw[at: at + 8])
    weights = np.frombuffer(raw, np.uint8, STREAMS * densities * senones, at + 8)
    return -weights.reshape(STREAMS, densities, senones).astype(np.float64) * 1024 * np.log(1.0001)


def phones_and_states(path):
    """(phone names, [phones, 3] state numbers) of the context-independent phones in a binary mdef."""
    raw = path.read_bytes()
    at = 12 + struct.unpack("<i", raw[8:12])[0]
    phones, all_phones, _, _, _, _, _, _, context_dependent, _ = struct.unpack("<10i", raw[at: at + 40])
    at += 40
    names = []
    for _ in range(phones):
        end = raw.index(b"\0", at)
        names.append(raw[at:end].decode())
        at = end + 1
    at = (at + 3) // 4 * 4 + 8 * context_dependent
    sequences = np.frombuffer(raw, "<i4", 3 * all_phones, at).reshape(-1, 3)[:phones, 0]
    at += 12 * all_phones
    count = struct.unpack("<i", raw[at: at + 4])[0]
    table = np.frombuffer(raw, "<u2", count, at + 4).reshape(-1, STATES)
    return names, table[sequences]
