"""Join the line to a calibration.json that was fitted without it: what made version 1.1.0's from 1.0.0's.

python3 -m calibration.join_line --folds CACHE/folds --calibration calibration.json

Takes features of held-out speakers. The threshold moves as far as the score below which 5 % of well-said phones fall.
"""
import argparse
import json
from pathlib import Path

import numpy as np

from learner.figures import summary
from learner.phones import PHONES

from .fit import threshold
from .flattened import predict
from .line import Line
from .model import LINE_SHARE
from .table import from_engine


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", required=True)
    parser.add_argument("--calibration", required=True)
    args = parser.parse_args()
    path = Path(args.calibration)
    document = json.loads(path.read_text("utf8"))
    table = from_engine(args.folds)
    table = table.take(table.heard)
    x = np.concatenate([table.features, np.eye(len(PHONES))[table.phones], np.array(document["phone_priors"])[table.phones]], 1)
    joined = Line(x, table.scores).join(document["score"], LINE_SHARE)
    before, after = (np.clip(predict(score, x), 0, 2) for score in (document["score"], joined))
    moved = threshold(after, table.scores) - threshold(before, table.scores)
    print("before", summary(before, table.scores), "after", summary(after, table.scores), "threshold moved", round(moved, 4))
    document.update(score=joined, flag_threshold=round(document["flag_threshold"] + moved, 4))
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n", "utf8")


if __name__ == "__main__":
    main()
