"""Write a package's second file: the same network in integer arithmetic, for the CPU.

python3 -m learner.integer --cache DIR --package models/en-learner     (needs onnxruntime)

What goes into a hidden layer is rounded to bytes once, with a scale that is fixed from recordings: so an answer never depends on
the others in a batch, and a stream's past is kept as bytes. First layer and heads stay in float32: what they get and give is
spread too widely for 256 steps.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from . import store
from .compact import as_float16
from .export import OPSET
from .logmel import log_mel, normalise
from .network import DELAY_STEPS, DILATIONS, PHONES_OUT, STACK, TAPS

EVERY = {"learners": 12, "kathleen": 20}
# Rare peaks are cut off for finer steps below them: .6 of the widest range gave the least error of .5, .6, .7, .8 and 1.
KEPT_RANGE = 0.6
# With 7 bits, products of bytes never overflow the 16-bit sums of processors without VNNI: one answer everywhere.
WEIGHT_LIMIT = 63


def main():
    args = arguments()
    folder = Path(args.package)
    described = json.loads((folder / "model.json").read_text("utf8"))
    source = folder / described["onnx"]
    weights = constants(source)
    path = folder / described.get("onnx_cpu", "model.cpu.onnx")
    model = Integers(weights, input_tops(source, described, recordings(args.cache, described))).model()
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    as_float16(path, path)
    described["onnx_cpu"] = path.name
    (folder / "model.json").write_text(json.dumps(described, indent=2) + "\n", "utf8")


class Integers:
    """The graph, node by node. x [B, T, 80], s0 [B, 2, 80] float32, s1 [B, N, width] bytes -> logp, score, n0, n1 as `Streaming`."""

    def __init__(self, weights, tops):
        self.weights, self.tops = weights, tops
        self.nodes, self.stored = [], {}

    def model(self):
        reaches = [(TAPS - 1) * dilation for dilation in DILATIONS]
        inputs = self.weights["weights.0"].shape[0] // TAPS
        width = self.weights["weights.0"].shape[1]
        taps = self.past("0", "s0", "x", DILATIONS[0], "n0")
        x = self.node("Relu", self.node("Add", self.node("MatMul", taps, self.constant("weights.0")), self.constant("biases.0")))
        at, kept = 0, []
        for number in range(1, len(DILATIONS)):
            layer, reach = str(number), reaches[number]
            x = self.hidden(layer, x, self.slice("s1", 1, at, at + reach), DILATIONS[number], kept)
            at += reach
        self.node("Concat", *kept, output="n1", axis=1)
        out = self.node("Add", self.node("MatMul", x, self.constant("head")), self.constant("head_bias"))
        self.node("LogSoftmax", self.slice(out, 2, 0, PHONES_OUT), output="logp", axis=-1)
        self.slice(out, 2, PHONES_OUT, 2 * PHONES_OUT, output="score")
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes, "integers",
            [value("x", TensorProto.FLOAT, ["B", "T", inputs]), value("s0", TensorProto.FLOAT, ["B", reaches[0], inputs]),
             value("s1", TensorProto.UINT8, ["B", at, width])],
            [value("logp", TensorProto.FLOAT, ["B", "T", PHONES_OUT]), value("score", TensorProto.FLOAT, ["B", "T", PHONES_OUT]),
             value("n0", TensorProto.FLOAT, ["B", reaches[0], inputs]), value("n1", TensorProto.UINT8, ["B", at, width])],
            [numpy_helper.from_array(np.asarray(values), name) for name, values in self.stored.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = 7
        return model

    def hidden(self, layer, x, before, dilation, kept):
        """relu(taps(x) W + b) + x, in bytes up to the sum of products. Everything before it was a ReLU: bytes begin at 0."""
        step = KEPT_RANGE * self.tops[int(layer) - 1] / 255
        weight = self.weights[f"weights.{layer}"]
        columns = np.maximum(np.abs(weight).max(0), 1e-12) / WEIGHT_LIMIT
        rounded = np.clip(np.round(weight / columns), -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8)
        self.stored.update({f"step.{layer}": np.float32(step), "zero": np.uint8(0), f"bytes.{layer}": rounded,
                            f"scale.{layer}": (step * columns).astype(np.float32)})
        coarse = self.node("QuantizeLinear", x, f"step.{layer}", "zero")
        taps = self.past(layer, before, coarse, dilation, f"kept.{layer}")
        kept.append(f"kept.{layer}")
        sums = self.node("Cast", self.node("MatMulInteger", taps, f"bytes.{layer}"), to=TensorProto.FLOAT)
        y = self.node("Add", self.node("Mul", sums, f"scale.{layer}"), self.constant(f"biases.{layer}"))
        return self.node("Add", x, self.node("Relu", y))

    def past(self, layer, before, now, dilation, kept):
        """Each step beside its past at one and two dilations, [B, T, 3 C]; what the next chunk needs is named `kept`."""
        whole, reach, end = self.node("Concat", before, now, axis=1), (TAPS - 1) * dilation, np.iinfo(np.int64).max
        spans = (0, -reach), (dilation, -dilation), (reach, end)
        taps = self.node("Concat", *(self.slice(whole, 1, *span) for span in spans), axis=2)
        self.slice(whole, 1, -reach, end, output=kept)
        return taps

    def slice(self, x, axis, start, end, output=None):
        places = []
        for number in (start, end, axis):
            places.append(f"int.{number}")
            self.stored[places[-1]] = np.array([number], np.int64)
        return self.node("Slice", x, *places, output=output)

    def constant(self, name):
        self.stored[name] = self.weights[name]
        return name

    def node(self, kind, *inputs, output=None, **attributes):
        output = output or f"{kind}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output


def constants(path):
    """{name: float32 values} of weights and biases; those stored as float16 under the names they are used by."""
    return {tensor.name.removesuffix(".half"): numpy_helper.to_array(tensor).astype(np.float32)
            for tensor in onnx.load(str(path)).graph.initializer}


def recordings(cache, described):
    """Inputs [steps, 80] of some utterances of each corpus."""
    recipe = described["features"]["normalisation"]
    statistics = np.array(recipe["mean"]), np.array(recipe["deviation"])
    for corpus, every in EVERY.items():
        for number, (_, samples) in enumerate(store.read(cache, corpus)):
            if number % every == 0:
                features = normalise(log_mel(samples), *statistics).astype(np.float32)
                steps = len(features) // STACK
                silence = np.zeros((DELAY_STEPS * STACK, features.shape[1]), np.float32)
                yield np.concatenate([features[: steps * STACK], silence]).reshape(steps + DELAY_STEPS, -1)


def input_tops(path, described, inputs):
    """The largest value that each hidden layer's product gets."""
    model = onnx.load(str(path))
    names = [node.input[0] for node in model.graph.node if node.op_type == "MatMul" and node.input[1].startswith("weights.")][1:]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    states = {state["input"]: np.zeros((1, *state["shape"]), np.float32) for state in described["states"]}
    tops = np.zeros(len(names))
    for x in inputs:
        given = session.run(names, {described["inputs"]["features"]: x[None], **states})
        assert min(values.min() for values in given) >= 0, "a hidden layer gets negative values: bytes would not begin at 0"
        tops = np.maximum(tops, [values.max() for values in given])
    return tops


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for flag in ("--cache", "--package"):
        parser.add_argument(flag, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
