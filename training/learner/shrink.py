"""Smaller weights, tried side by side: size, speed and quality of float32, float16 and int8 storage, and int8 arithmetic.

python3 -m learner.shrink --cache DIR --net f0 --package DIR [--every 2]     (needs onnxruntime)
"""
import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import helper, numpy_helper

from . import dataset, store
from .align import align
from .compact import as_float16, rewrite
from .figures import summary
from .infer import Trained
from .network import DELAY_STEPS
from .segments import NAMES, measure

BATCH, STEPS, RUNS = 32, 5, 200


def main():
    args = arguments()
    net = Trained(args.cache, args.net)
    fold = dataset.fold_of(row["speaker"] for row in store.rows(args.cache, "learners"))
    held = [pair for pair in store.read(args.cache, "learners") if fold[pair[0]["speaker"]] == net.fold][:: args.every]
    source = Path(args.package) / "model.onnx"
    with tempfile.TemporaryDirectory() as folder:
        for name, make in {"float32": None, "float16 storage": as_float16, "int8 storage": as_int8, "int8 arithmetic": dynamic}.items():
            path = Path(folder) / "model.onnx"
            path.write_bytes(source.read_bytes()) if make is None else make(source, path)
            session = open_session(path)
            print(name, f"{path.stat().st_size / 1e6:.2f} MB", f"{milliseconds_a_second(session):.2f} ms a stream-second",
                  quality(session, net, held))


def as_int8(source, path):
    """Weights stored as int8 with a scale a column."""
    def store_byte(name, values):
        scale = np.maximum(np.abs(values).max(0), 1e-12).astype(np.float32) / 127
        stored = [numpy_helper.from_array(np.round(values / scale).astype(np.int8), f"{name}.byte"),
                  numpy_helper.from_array(scale, f"{name}.scale"),
                  numpy_helper.from_array(np.zeros(len(scale), np.int8), f"{name}.zero")]
        inputs = [f"{name}.byte", f"{name}.scale", f"{name}.zero"]
        return stored, helper.make_node("DequantizeLinear", inputs, [name], axis=1)
    rewrite(source, path, store_byte)


def dynamic(source, path):
    """onnxruntime's dynamic quantisation: int8 weights and activations in every product."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    quantize_dynamic(str(source), str(path), weight_type=QuantType.QInt8, per_channel=True)


def open_session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def states(session, batch):
    return {i.name: np.zeros([batch, *i.shape[1:]], np.float32) for i in session.get_inputs() if i.name != "x"}


def milliseconds_a_second(session):
    """CPU time of a second of one stream when 32 run together in chunks of 100 ms."""
    feed = {"x": np.random.default_rng(0).standard_normal((BATCH, STEPS, 80), np.float32), **states(session, BATCH)}
    for _ in range(20):
        session.run(None, feed)
    began = time.process_time()
    for _ in range(RUNS):
        session.run(None, feed)
    return (time.process_time() - began) / RUNS / BATCH / (STEPS * 0.02) * 1000


def quality(session, net, held):
    """AUC and PCC of the mean log posterior on held-out learners."""
    values, human = [], []
    for row, samples in held:
        x = net.steps_of(samples)[None]
        logs, scores = (out[0, DELAY_STEPS:] for out in session.run(["logp", "score"], {"x": x, **states(session, 1)}))
        words = [word["variants"][0] for word in row["words"]]
        for phone, (first, end) in zip(sum(words, []), align(logs + net.alignment_bias, words)):
            values.append(measure(logs, scores, first, end, phone)[: len(NAMES)])
        human += [s for word in row["words"] for s in word["scores"]]
    table, human = np.array(values), np.array(human)
    return {name: summary(table[:, NAMES.index(name)], human) for name in ("lp", "ver")}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("--cache", "--net", "--package"):
        parser.add_argument(flag, required=True)
    parser.add_argument("--every", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
