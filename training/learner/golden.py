"""Golden values for the engine's tests: a signal that both sides make by formula, its features and the network's answer.

python3 -m learner.golden --cache DIR --net final --out test/acoustic/golden/logmel.json
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch

from .infer import Trained
from .logmel import log_mel, normalise
from .network import DELAY_STEPS
from .phones import LABELS
from .streaming import Streaming

SAMPLES = 8000
FORMULA = (
    "for n in 0..7999: lcg = (1664525 lcg + 1013904223) mod 2^32, lcg = 1 before the first; noise = floor(lcg / 65536) / 65536 - 0.5; "
    "loud = n < 2400 ? 0.02 : 1; sample = floor(loud (6000 sin(2 pi 220 n / 16000) + 3000 sin(2 pi 1330 n / 16000) "
    "+ 2500 noise) + 0.5)"
)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("--cache", "--net", "--out"):
        parser.add_argument(flag, required=True)
    args = parser.parse_args()
    samples = signal()
    net = Trained(args.cache, args.net)
    raw = log_mel(samples, np.float64)
    streaming = Streaming(net.network)
    states = [torch.zeros(1, *shape) for shape in streaming.state_shapes()]
    with torch.no_grad():
        logs, scores = (out[0, DELAY_STEPS:] for out in streaming(torch.from_numpy(net.steps_of(samples))[None], *states)[:2])
    document = {
        "formula": FORMULA, "first_samples": samples[:8].tolist(), "last_samples": samples[-8:].tolist(), "phones": LABELS,
        "log_mel": rounded(raw), "normalised": rounded(normalise(raw, *net.statistics)),
        "log_posterior": rounded(logs), "score_logit": rounded(scores),
    }
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    Path(args.out).write_text(json.dumps(document, separators=(",", ":")) + "\n", "utf8")


def signal():
    """int16-scale samples [8000] of FORMULA."""
    state, noise = 1, []
    for _ in range(SAMPLES):
        state = (1664525 * state + 1013904223) % 2**32
        noise.append(state // 65536 / 65536 - 0.5)
    n = np.arange(SAMPLES)
    tone = 6000 * np.sin(2 * np.pi * 220 * n / 16000) + 3000 * np.sin(2 * np.pi * 1330 * n / 16000)
    return np.floor(np.where(n < 2400, 0.02, 1.0) * (tone + 2500 * np.array(noise)) + 0.5)


def rounded(rows):
    return np.round(np.asarray(rows, np.float64), 5).tolist()


if __name__ == "__main__":
    main()
