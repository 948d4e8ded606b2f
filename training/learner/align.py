"""Alignment by the network itself.

python3 -m learner.align --cache DIR --nets f0,f1,... --out net   (learners by the fold that held them out, Kathleen by all)
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
    parser.add_argument("--nets", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    nets = {net.fold: net for net in (Trained(args.cache, name) for name in args.nets.split(","))}
    for corpus in ("learners", "kathleen"):
        before = dataset.alignments(args.cache, corpus, "align")
        fold = dataset.fold_of(row["speaker"] for row in store.rows(args.cache, corpus))
        with open(Path(args.cache) / f"{corpus}.{args.out}.jsonl", "w", encoding="utf8") as out:
            for row, samples in store.read(args.cache, corpus):
                chosen = [nets[fold[row["speaker"]]]] if corpus == "learners" else list(nets.values())
                bias = chosen[0].alignment_bias
                posteriors = np.mean([net.outputs(samples)[0] for net in chosen], 0)
                old = before[row["id"]]
                edges = old["words"] + [len(old["phones"])]
                words = [old["phones"][a:b] for a, b in zip(edges, edges[1:])]
                segments = [[a * STACK, b * STACK] for a, b in align(posteriors + bias, words)]
                out.write(json.dumps({**old, "segments": segments}) + "\n")


if __name__ == "__main__":
    main()
