"""Makes golden/tiny: a streaming phone model unlike the shipped one in every way that a package may differ.

16 bins, three hops a step (30 ms), 30 ms of look-ahead (the state counts from the first frame), one state tensor, silence
first, a score head without silence.
Weights are random; what matters is that a step sees itself and the two before it, through the state.
Run: python3 tiny-model.py tiny   (needs numpy and onnx)
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BINS, STACK, HISTORY = 16, 3, 2
PHONES = ["_", "A", "B", "C", "D"]
WIDTH = BINS * STACK


def graph():
    random = np.random.default_rng(7)
    weights = lambda outputs: (random.standard_normal((WIDTH * (HISTORY + 1), outputs)) * 0.1).astype(np.float32)
    constants = {
        "w_phones": weights(len(PHONES)),
        "w_scores": weights(len(PHONES) - 1),
        "axis": np.array([1], np.int64),
        "end": np.array([2**31], np.int64),
        **{f"from{i}": np.array([i], np.int64) for i in range(HISTORY + 1)},
        **{f"to{i}": np.array([i - HISTORY], np.int64) for i in range(HISTORY)},
        "last": np.array([-HISTORY], np.int64),
    }
    nodes = [helper.make_node("Concat", ["past", "mel"], ["seen"], axis=1)]
    for i in range(HISTORY + 1):
        end = f"to{i}" if i < HISTORY else "end"
        nodes.append(helper.make_node("Slice", ["seen", f"from{i}", end, "axis"], [f"tap{i}"]))
    nodes += [
        helper.make_node("Concat", [f"tap{i}" for i in range(HISTORY + 1)], ["taps"], axis=2),
        helper.make_node("MatMul", ["taps", "w_phones"], ["logits"]),
        helper.make_node("LogSoftmax", ["logits"], ["phones"], axis=2),
        helper.make_node("MatMul", ["taps", "w_scores"], ["scores"]),
        helper.make_node("Slice", ["seen", "last", "end", "axis"], ["next_past"]),
    ]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    return helper.make_graph(
        nodes,
        "tiny",
        [value("mel", ["B", "T", WIDTH]), value("past", ["B", HISTORY, WIDTH])],
        [
            value("phones", ["B", "T", len(PHONES)]),
            value("scores", ["B", "T", len(PHONES) - 1]),
            value("next_past", ["B", None, WIDTH]),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )


def package():
    return {
        "name": "tiny",
        "version": "1",
        "licence": "Apache-2.0",
        "language": "xx",
        "sample_rate_hz": 8000,
        "onnx": "model.onnx",
        "features": {
            "type": "log-mel",
            "window_ms": 32,
            "hop_ms": 10,
            "fft": 256,
            "window": "hann",
            "bins": BINS,
            "low_hz": 100,
            "high_hz": 3800,
            "floor": 10,
            "stack": STACK,
            "normalisation": {
                "type": "causal-mean",
                "prior_frames": 50,
                "gate_nats": 4,
                "decay_nats_per_frame": 0.001,
                "mean": [12 - 0.1 * i for i in range(BINS)],
                "deviation": [2.5] * BINS,
            },
        },
        "phones": PHONES,
        "silence": "_",
        "stride_ms": 30,
        "lookahead_ms": 30,
        "inputs": {"features": "mel"},
        "states": [{"input": "past", "output": "next_past", "shape": [HISTORY, WIDTH]}],
        "outputs": {"log_posterior": "phones", "score_logit": "scores"},
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    model = helper.make_model(graph(), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, folder / "model.onnx")
    (folder / "model.json").write_text(json.dumps(package(), indent=2) + "\n")
