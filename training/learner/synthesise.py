"""Sentences read by flite's voices, with the phone times flite itself reports.

python3 -m learner.synthesise --data DIR --cache DIR [--sentences 700]
"""
import argparse
import random
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from . import corpora, store
from .audio import SAMPLE_RATE_HZ, decode
from .phones import INDEX, LABELS, SILENCE_INDEX

VOICES = ("kal16", "rms", "slt", "awb")
FLITE_NAMES = {"AX": "AH", "AXR": "ER", "PAU": "SIL"}
HOP_SECONDS, WINDOW_CENTRE_SECONDS = 0.01, 0.0125


def main():
    args = arguments()
    sentences = corpora.sentences(args.data)
    random.Random(1).shuffle(sentences)
    with store.Writer(args.cache, "tts") as out, tempfile.TemporaryDirectory() as folder:
        for number, sentence in enumerate(sentences[: args.sentences]):
            for voice in VOICES:
                spoken = speak(sentence, voice, Path(folder) / "speech.wav")
                if spoken is not None:
                    samples, labels = spoken
                    out.add(samples, id=f"{voice}-{number}", speaker=voice, words=[], labels=labels)


def speak(sentence, voice, path):
    """Returns (int16 samples, one label per 10 ms frame), or None when flite's phones are not ours."""
    command = ["flite", "-voice", voice, "-t", sentence, "-psdur", "-o", str(path)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    marks = [mark.rsplit(":", 1) for mark in printed.split() if ":" in mark]
    names = [FLITE_NAMES.get(name.upper(), name.upper()) for name, _ in marks]
    if not marks or any(name not in LABELS for name in names):
        return None
    samples = decode(path)
    frames = max(0, 1 + (len(samples) - 400) // (SAMPLE_RATE_HZ // 100))
    ends = np.array([float(end) for _, end in marks])
    phone = np.searchsorted(ends, np.arange(frames) * HOP_SECONDS + WINDOW_CENTRE_SECONDS, side="right")
    table = np.array([INDEX[name] for name in names] + [SILENCE_INDEX])
    return samples, table[phone].tolist()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--sentences", type=int, default=700)
    return parser.parse_args()


if __name__ == "__main__":
    main()
