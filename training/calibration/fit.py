"""Fit the calibrator out of fold and write calibration.json.

python3 -m calibration.fit --folds CACHE/folds --name en-learner-1.1 --out calibration.json
"""
import argparse
import json
from pathlib import Path

import numpy as np

from learner.figures import summary
from learner.phones import PHONES
from learner.segments import NAMES

from . import context
from .model import Calibrator
from .table import from_engine, from_segments

FLAGGED_SHARE, GOOD = 0.05, 1.5


def main():
    args = arguments()
    table = from_engine(args.folds) if args.folds else from_segments(args.segments)
    print(len(table.scores), "phones,", int((~table.heard).sum()), "not heard")
    alone, confidence, in_context = out_of_fold(table)
    report(table, alone, in_context)
    final = Calibrator(table)
    final.fit_on_held_out(table, alone)
    document = {
        "name": args.name, "features": feature_names(), "context_features": context.NAMES,
        "flag_threshold": threshold(alone, table.scores), **final.flatten(),
    }
    Path(args.out).write_text(json.dumps(document, separators=(",", ":")) + "\n", "utf8")


def out_of_fold(table):
    """(alone, confidence, in context) [n], each row judged by calibrators that never saw its speaker."""
    groups = np.unique(table.groups)
    held = {g: table.groups == g for g in groups}
    models = {g: Calibrator(table.take(~held[g])) for g in groups}
    alone = np.zeros(len(table.scores))
    for g in groups:
        alone[held[g]] = models[g].alone(table.take(held[g]))
    confidence, in_context = np.zeros_like(alone), np.zeros_like(alone)
    for g in groups:
        models[g].fit_on_held_out(table.take(~held[g]), alone[~held[g]])
        rows = table.take(held[g])
        confidence[held[g]] = models[g].confidence(rows, alone[held[g]])
        in_context[held[g]] = models[g].in_context(rows, alone[held[g]])
    return alone, confidence, in_context


def report(table, alone, in_context):
    """Prints figures of all folds together, then of each."""
    everybody = np.ones(len(table.scores), bool)
    for name, rows in [("all", everybody), *((f"fold {g}", table.groups == g) for g in np.unique(table.groups))]:
        print(name, "alone", summary(alone[rows], table.scores[rows]), "context", summary(in_context[rows], table.scores[rows]))


def threshold(scores, human):
    """The score below which FLAGGED_SHARE of well-said phones fall."""
    return round(float(np.quantile(scores[human >= GOOD], FLAGGED_SHARE)), 4)


def feature_names():
    return NAMES + [f"ml_{p}" for p in PHONES + ["SIL"]] + [f"mv_{p}" for p in PHONES]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--folds", help="folder with the engine's features of every fold")
    source.add_argument("--segments", nargs="+", help="instead: files of learner.extract")
    parser.add_argument("--name", required=True)
    parser.add_argument("--out", required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
