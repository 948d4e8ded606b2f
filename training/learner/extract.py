"""Segment features of held-out learners, by the network's own alignment: CACHE/segments/NAME.npz.

python3 -m learner.extract --cache DIR --net f0 [--every 1]
"""
import argparse
from pathlib import Path

import numpy as np

from . import dataset, store
from .align import align
from .figures import summary
from .infer import Trained
from .segments import NAMES, measure


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--net", required=True)
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    net = Trained(args.cache, args.net)
    fold = dataset.fold_of(row["speaker"] for row in store.rows(args.cache, "learners"))
    features, phones, scores, words, utterances = [], [], [], [], []
    held = [pair for pair in store.read(args.cache, "learners") if fold[pair[0]["speaker"]] == net.fold]
    for row, samples in held[:: args.every]:
        spoken = [word["variants"][0] for word in row["words"]]
        logs, values = net.outputs(samples)
        flat = sum(spoken, [])
        for phone, (first, end) in zip(flat, align(logs + net.alignment_bias, spoken)):
            features.append(measure(logs, values, first, end, phone))
        phones += flat
        scores += [s for word in row["words"] for s in word["scores"]]
        words += [number for number, word in enumerate(spoken) for _ in word]
        utterances += [row["id"]] * len(flat)
    folder = Path(args.cache) / "segments"
    folder.mkdir(exist_ok=True)
    features, scores = np.array(features), np.array(scores)
    np.savez(folder / f"{args.net}.npz", features=features, phones=phones, scores=scores, words=words, utterances=utterances)
    for at, name in enumerate(NAMES):
        print(name, summary(features[:, at], scores))


if __name__ == "__main__":
    main()
