"""The native test set, never trained on: Asterisk's English prompts, and the same with one wrong phone planted.

python3 -m learner.native --cache DIR --net final --sounds DIR --transcripts core-sounds-en.txt.gz

Writes CACHE/segments/native-NAME.npz, like learner.extract; planted rows carry score 0, true ones 2.
"""
import argparse
import gzip
import re
from pathlib import Path

import numpy as np

from . import dictionary
from .align import align
from .audio import decode
from .figures import auc
from .infer import Trained
from .phones import index_of, same_class
from .segments import NAMES, measure

PLANT_EVERY, MOST_SECONDS = 3, 15


def main():
    args = arguments()
    net = Trained(args.cache, args.net)
    rng = np.random.default_rng(0)
    features, phones, scores, words, utterances = [], [], [], [], []
    prompts = list(read_prompts(args.sounds, args.transcripts))
    for name, samples, variants in prompts:
        logs, values = net.outputs(samples)
        biased = logs + net.alignment_bias
        chosen = choose(biased, variants)
        flat = sum(chosen, [])
        owner = [number for number, word in enumerate(chosen) for _ in word]
        for phone, (first, end) in zip(flat, align(biased, chosen)):
            features.append(measure(logs, values, first, end, phone))
        phones, scores, words = phones + flat, scores + [2.0] * len(flat), words + owner
        utterances += [name] * len(flat)
        for at in range(int(rng.integers(PLANT_EVERY)), len(flat), PLANT_EVERY):
            wrong = int(rng.choice(same_class(flat[at])))
            first, end = align(biased, planted(chosen, at, wrong))[at]
            features.append(measure(logs, values, first, end, wrong))
            phones, scores, words, utterances = phones + [wrong], scores + [0.0], words + [0], utterances + [f"{name}+{at}"]
    features, scores = np.array(features), np.array(scores)
    np.savez(Path(args.cache) / "segments" / f"native-{args.net}.npz", features=features, phones=phones, scores=scores,
             words=words, utterances=utterances)
    print(len(prompts), "prompts", int((scores == 2).sum()), "phones", int((scores == 0).sum()), "planted")
    for at, feature in enumerate(NAMES):
        print(feature, round(auc(features[scores == 2, at], features[scores == 0, at]), 4))


def read_prompts(sounds, transcripts):
    """Yield (name, samples, pronunciations of each word) of every prompt whose words are all in the dictionary."""
    table = dictionary.load()
    for line in gzip.open(transcripts, "rt", errors="replace"):
        found = re.match(r"([\w/\-]+): (.*)", line)
        if not found or "[" in found[2] or "(" in found[2]:
            continue
        path = Path(sounds) / f"{found[1]}.g722"
        words = dictionary.words_of(found[2])
        if path.exists() and words and all(w in table for w in words):
            samples = decode(path)
            if len(samples) < MOST_SECONDS * 16000:
                yield found[1], samples, [[[index_of(p) for p in v] for v in table[w][:4]] for w in words]


def choose(logs, variants):
    """The pronunciation of each word that the network believes most, taken word by word."""
    chosen = [word[0] for word in variants]
    for at, word in enumerate(variants):
        trials = [chosen[:at] + [v] + chosen[at + 1:] for v in word]
        chosen = max(trials, key=lambda trial: believed(logs, trial)) if len(trials) > 1 else chosen
    return chosen


def believed(logs, words):
    flat = sum(words, [])
    return sum(logs[a:b, p].sum() for p, (a, b) in zip(flat, align(logs, words)))


def planted(words, at, wrong):
    """The same words with phone number `at` replaced."""
    out, passed = [], 0
    for word in words:
        out.append([wrong if passed + i == at else p for i, p in enumerate(word)])
        passed += len(word)
    return out


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("--cache", "--net", "--sounds", "--transcripts"):
        parser.add_argument(flag, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
