"""Train one network.

python3 -m learner.train --cache DIR --name f0 --fold 0 --epochs 30 [--alignment align] [--seed 0] [--start NET --rate 1e-3]

Fold k holds the speakers dealt to k out; fold -1 trains on everybody. --start goes on from a trained network, which must
not have heard the speakers held out now. Writes CACHE/nets/NAME.pt.
"""
import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch

from . import batches, dataset
from .losses import losses
from .network import Network
from .phones import LABELS, SILENCE_INDEX

WARMUP_STEPS, WEIGHT_DECAY, CLIP = 200, 0.02, 2.0
TTS_AN_EPOCH = 700
REPORT_STEPS = 200
SILENCE_BEFORE, SILENCE_AFTER = 35, 30


def main():
    args = arguments()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(1000 * (args.fold + 1) + args.seed)
    corpora = {name: dataset.load(args.cache, name, args.alignment) for name in ("learners", "kathleen", "tts")}
    statistics = mean_and_deviation(args.cache, corpora)
    fold = dataset.fold_of(u.speaker for u in corpora["learners"])
    always = [u for u in corpora["learners"] if fold[u.speaker] != args.fold]
    always += [u for number, u in enumerate(corpora["kathleen"]) if number % dataset.FOLDS != args.fold]
    network = Network()
    if args.start:
        network.load_state_dict(torch.load(Path(args.cache) / "nets" / f"{args.start}.pt")["state"])
    optimiser = torch.optim.AdamW(network.parameters(), lr=args.rate, weight_decay=WEIGHT_DECAY, betas=(0.9, 0.98))
    steps = args.epochs * len(batches.plan(always + corpora["tts"][:TTS_AN_EPOCH], rng))
    step, began, log = 0, time.time(), []
    for epoch in range(args.epochs):
        chosen = rng.permutation(len(corpora["tts"]))[:TTS_AN_EPOCH]
        pool = always + [corpora["tts"][i] for i in chosen]
        for indices in batches.plan(pool, rng):
            for group in optimiser.param_groups:
                group["lr"] = args.rate * share_of_peak(step, steps)
            x, labels, scores = batches.pack([batches.example(pool[i], statistics, rng) for i in indices])
            loss, parts = losses(*network(x), labels, scores)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
            optimiser.step()
            step += 1
            log.append(parts)
            if step % REPORT_STEPS == 0:
                print(f"{step}/{steps} epoch {epoch} {time.time() - began:.0f} s", np.round(np.mean(log, 0), 3), flush=True)
                log = []
    save(args, network, statistics, log_prior(always))


def share_of_peak(step, steps):
    """Linear warm-up, then half a cosine down to 2 % of the peak."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
    return min(1.0, (step + 1) / WARMUP_STEPS) * (0.98 * cosine + 0.02)


def mean_and_deviation(cache, corpora):
    """(mean [40], deviation [40]) of spoken frames, made once and kept in the cache."""
    path = Path(cache) / "statistics.npz"
    if not path.exists():
        spoken = [u.features[1.0][u.labels < 39][::7].astype(np.float64) for u in corpora["learners"] + corpora["kathleen"]]
        means = np.array([piece.mean(0) for piece in spoken])
        within = np.concatenate([piece - mean for piece, mean in zip(spoken, means)])
        np.savez(path, mean=means.mean(0), deviation=within.std(0))
    packed = np.load(path)
    return packed["mean"], packed["deviation"]


def log_prior(utterances):
    """[40] how often each label is asked for, as natural logarithms; silence counts as it is trimmed in batches."""
    counts = np.ones(len(LABELS))
    for utterance in utterances:
        spoken = np.flatnonzero(utterance.labels != SILENCE_INDEX)
        first, end = max(0, spoken[0] - SILENCE_BEFORE), spoken[-1] + SILENCE_AFTER
        counts += np.bincount(utterance.labels[first:end], minlength=len(LABELS))
    return np.log(counts / counts.sum())


def save(args, network, statistics, prior):
    folder = Path(args.cache) / "nets"
    folder.mkdir(exist_ok=True)
    mean, deviation = statistics
    torch.save({"state": network.state_dict(), "mean": mean, "deviation": deviation, "log_prior": prior, "fold": args.fold,
                "epochs": args.epochs, "seed": args.seed}, folder / f"{args.name}.pt")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--alignment", default="align")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start")
    parser.add_argument("--rate", type=float, default=2e-3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
