"""Alignment by the network itself.

python3 -m learner.align --cache DIR --net first --out net

Writes CACHE/learners.net.jsonl and CACHE/kathleen.net.jsonl, the words and phones of the teacher's alignment at new times.
"""
import argparse
import json
from pathlib import Path

import numpy as np

from . import dataset, store
from .infer import Trained
from .network import STACK
from .phones import SILENCE_INDEX
from .viterbi import best_path


def align(log_posteriors, words):
    """Optional silence at word edges, one state a phone.

    log_posteriors [steps, 40]; words: lists of phone indices. Returns [first, end) steps of each phone; when there are
    fewer steps than phones, every phone gets one step as near as it can be.
    """
    states, real = [SILENCE_INDEX], [False]
    for word in words:
        states += list(word) + [SILENCE_INDEX]
        real += [True] * len(word) + [False]
    real = np.array(real)
    if len(log_posteriors) < real.sum():
        last = max(0, len(log_posteriors) - 1)
        return [[min(i, last), min(i, last) + 1] for i in range(int(real.sum()))]
    path, _ = best_path(log_posteriors[:, states].astype(np.float64), ~real)
    positions = np.flatnonzero(real)
    first = np.searchsorted(path, positions, side="left")
    end = np.searchsorted(path, positions, side="right")
    return np.stack([first, end], 1).tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--net", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    net = Trained(args.cache, args.net)
    for corpus in ("learners", "kathleen"):
        before = dataset.alignments(args.cache, corpus, "align")
        with open(Path(args.cache) / f"{corpus}.{args.out}.jsonl", "w", encoding="utf8") as out:
            for row, samples in store.read(args.cache, corpus):
                old = before[row["id"]]
                edges = old["words"] + [len(old["phones"])]
                words = [old["phones"][a:b] for a, b in zip(edges, edges[1:])]
                found = align(net.outputs(samples)[0] + net.alignment_bias, words)
                out.write(json.dumps({**old, "segments": [[a * STACK, b * STACK] for a, b in found]}) + "\n")


if __name__ == "__main__":
    main()
