"""First phone labels, by the CMU Sphinx teacher: CACHE/NAME.align.jsonl.

python3 -m learner.label --cache DIR --corpus learners|kathleen [--part 0 --parts 1]

A line: {"id", "phones": [index into phones.LABELS], "segments": [[first, end) 10 ms frames], "words": [first phone of each]}.
"""
import argparse
import json
from pathlib import Path

import numpy as np

from . import store
from .phones import LABELS
from .sphinx_features import cepstra
from .sphinx_model import STATES, Teacher
from .viterbi import best_path


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    args = parser.parse_args()
    teacher = Teacher()
    suffix = f".{args.part}" if args.parts > 1 else ""
    with open(Path(args.cache) / f"{args.corpus}.align.jsonl{suffix}", "w", encoding="utf8") as out:
        for number, (row, samples) in enumerate(store.read(args.cache, args.corpus)):
            if number % args.parts == args.part:
                out.write(json.dumps(align_utterance(teacher, row, samples)) + "\n")


def align_utterance(teacher, row, samples):
    """Align one stored utterance, choosing the pronunciation of each word that fits best."""
    variants = [word["variants"] for word in row["words"]]
    needed = sorted({p for word in variants for v in word for p in v}) + [len(LABELS) - 1]
    columns = [teacher.names.index(LABELS[p]) for p in needed]
    observed = dict(zip(needed, teacher.log_likelihoods(cepstra(samples), columns).transpose(1, 0, 2)))
    chain = Chain(teacher, observed)
    chosen = [word[0] for word in variants]
    best = None
    for at, word in enumerate(variants):
        for other in word[1:]:
            best = chain.align(chosen)[1] if best is None else best
            trial = chosen[:at] + [other] + chosen[at + 1:]
            score = chain.align(trial)[1]
            if score > best:
                best, chosen = score, trial
    segments, _ = chain.align(chosen)
    starts = np.cumsum([0] + [len(w) for w in chosen[:-1]]).tolist()
    return {"id": row["id"], "phones": sum(chosen, []), "segments": segments, "words": starts}


class Chain:
    """The states of a sentence: three a phone, an optional silence at every word edge."""

    def __init__(self, teacher, observed):
        self._observed = observed
        names = [teacher.names.index(label) for label in LABELS]
        self._stay, self._leave = teacher.log_stay[names], teacher.log_leave[names]

    def align(self, words):
        """words: lists of phone indices. Returns ([first, end) frames of each phone, log-likelihood)."""
        silence = len(LABELS) - 1
        units, real = [silence], [-1]
        for word in words:
            for phone in word:
                real.append(max(real) + 1)
                units.append(phone)
            units.append(silence)
            real.append(-1)
        skippable = np.repeat([r < 0 for r in real], STATES)
        observations = np.concatenate([self._observed[u] for u in units], 1).astype(np.float64)
        path, score = best_path(observations, skippable, self._stay[units].ravel(), self._leave[units].ravel())
        unit = path // STATES
        first = np.searchsorted(unit, np.arange(len(units)), side="left")
        end = np.searchsorted(unit, np.arange(len(units)), side="right")
        return [[int(first[i]), int(end[i])] for i, r in enumerate(real) if r >= 0], score


if __name__ == "__main__":
    main()
