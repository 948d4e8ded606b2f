"""Training features: every corpus at three speeds, with a label and a score a frame.

python3 -m learner.prepare --cache DIR --corpus learners|kathleen|tts

Writes CACHE/NAME.features.npz: `offsets` [utterances * speeds + 1] into `features` [frames, 40] float16 log-mel, utterance
by utterance and speed by speed. Labels are kept apart (see labels.py) because they are made twice.
"""
import argparse
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from . import store
from .logmel import log_mel

SPEEDS = {1.0: (1, 1), 1.1: (10, 11), 0.9: (10, 9)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--corpus", required=True)
    args = parser.parse_args()
    blocks = []
    for _, samples in store.read(args.cache, args.corpus):
        for up, down in SPEEDS.values():
            faster = samples if up == down else resample_poly(samples.astype(np.float32), up, down)
            blocks.append(log_mel(faster).astype(np.float16))
    offsets = np.cumsum([0] + [len(b) for b in blocks])
    np.savez(Path(args.cache) / f"{args.corpus}.features.npz", features=np.concatenate(blocks), offsets=offsets)


if __name__ == "__main__":
    main()
