"""Write a model package: model.onnx and model.json.

python3 -m learner.export --cache DIR --net final --package models/en-learner --name en-learner --version 1.1.0
"""
import argparse
import json
import tempfile
from pathlib import Path

import torch

from . import logmel
from .compact import as_float16
from .infer import Trained
from .network import DELAY_STEPS, PHONES_OUT, STACK
from .phones import LABELS, SILENCE
from .streaming import Streaming

OPSET = 13
TOLERANCE, ROUNDING = 1e-4, 0.1
CITATIONS = [
    "Junbo Zhang et al., speechocean762: An Open-Source Non-native English Speech Corpus For Pronunciation Assessment, "
    "Interspeech 2021, arXiv:2104.01378, OpenSLR 101",
]


def main():
    args = arguments()
    folder = Path(args.package)
    folder.mkdir(parents=True, exist_ok=True)
    net = Trained(args.cache, args.net)
    streaming = Streaming(net.network)
    check_chunks(net.network, streaming)
    with tempfile.NamedTemporaryFile(suffix=".onnx") as whole:
        write_onnx(streaming, whole.name)
        as_float16(whole.name, folder / "model.onnx")
    path = folder / "model.json"
    old = json.loads(path.read_text("utf8")) if path.exists() else {}
    described = describe(args, net, streaming)
    described.update({key: old[key] for key in ("quality", "onnx_cpu") if key in old})
    path.write_text(json.dumps(described, indent=2) + "\n", "utf8")


def write_onnx(streaming, path):
    shapes = streaming.state_shapes()
    example = (torch.randn(2, 5, STACK * logmel.BINS), *(torch.zeros(2, *shape) for shape in shapes))
    outputs = ["logp", "score", "n0", "n1"]
    axes = {name: {0: "B"} for name in ("s0", "s1", "n0", "n1")}
    axes.update({name: {0: "B", 1: "T"} for name in ("x", "logp", "score")})
    torch.onnx.export(streaming, example, str(path), opset_version=OPSET, input_names=["x", "s0", "s1"],
                      output_names=outputs, dynamic_axes=axes)


def check_chunks(network, streaming):
    """Any chunking must equal the whole, and the network but for rounding; raises AssertionError when not."""
    x = torch.randn(1, 200, STACK * logmel.BINS)
    state = [torch.zeros(1, *shape) for shape in streaming.state_shapes()]
    pieces = []
    with torch.no_grad():
        phones, scores = network(x)
        all_at_once = torch.cat(streaming(x, *state)[:2], 2)
        for first in range(0, 200, 7):
            logp, score, *state = streaming(x[:, first: first + 7], *state)
            pieces.append(torch.cat([logp, score], 2))
    whole = torch.cat([torch.log_softmax(phones, -1), scores[..., :PHONES_OUT]], 2)
    chunked = torch.cat(pieces, 1)
    for other, most in ((all_at_once, TOLERANCE), (whole, ROUNDING)):
        worst = float((chunked - other).abs().max())
        assert worst < most, f"chunks differ by {worst}"


def describe(args, net, streaming):
    """The contents of model.json."""
    mean, deviation = ([round(float(v), 6) for v in values] for values in net.statistics)
    return {
        "name": args.name, "version": args.version, "licence": "Apache-2.0", "language": "en",
        "sample_rate_hz": logmel.SAMPLE_RATE_HZ, "onnx": "model.onnx",
        "features": {
            "type": "log-mel", "window_ms": 25, "hop_ms": 10, "fft": logmel.FFT, "window": "hann", "bins": logmel.BINS,
            "low_hz": int(logmel.LOW_HZ), "high_hz": int(logmel.HIGH_HZ), "floor": int(logmel.FLOOR), "stack": STACK,
            "normalisation": {"type": "causal-mean", "prior_frames": int(logmel.PRIOR_FRAMES), "gate_nats": logmel.GATE_NATS,
                              "decay_nats_per_frame": logmel.DECAY_NATS_PER_FRAME, "mean": mean, "deviation": deviation},
        },
        "phones": LABELS, "silence": SILENCE, "stride_ms": 10 * STACK, "lookahead_ms": 10 * STACK * DELAY_STEPS,
        "inputs": {"features": "x"},
        "states": [{"input": f"s{i}", "output": f"n{i}", "shape": shape} for i, shape in enumerate(streaming.state_shapes())],
        "alignment_bias": [round(float(v), 4) for v in net.alignment_bias],
        "outputs": {"log_posterior": "logp", "score_logit": "score"},
        **({"calibration": "calibration.json"} if args.calibrated else {}), "quality": {}, "citation": CITATIONS,
    }


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("--cache", "--net", "--package", "--name", "--version"):
        parser.add_argument(flag, required=True)
    parser.add_argument("--calibrated", action="store_true", help="the package has a calibration.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
