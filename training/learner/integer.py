"""Write a package's second file: the same network in integer arithmetic, for the CPU.

python3 -m learner.integer --cache DIR --package models/en-learner     (needs onnxruntime)
python3 -m learner.integer --package models/en-learner     keeps the numbers of the file that is there: only its graph is new

What goes into a hidden layer is rounded to bytes once, with a scale that is fixed from recordings: so an answer never depends on
the others in a batch, and a stream's past is kept as bytes. First layer and heads stay in float32: what they get and give is
spread too widely for 256 steps.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import onnx
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
# The domain of ONNX Runtime's own operators, which both of its builds for CPUs have.
FUSED = "com.microsoft"


def main():
    args = arguments()
    folder = Path(args.package)
    described = json.loads((folder / "model.json").read_text("utf8"))
    source = folder / described["onnx"]
    path = folder / described.get("onnx_cpu", "model.cpu.onnx")
    if args.cache:
        numbers = in_bytes(constants(source), input_tops(source, described, recordings(args.cache, described)))
    else:
        numbers = constants(path)
    model = Integers(numbers).model()
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    as_float16(path, path)
    described["onnx_cpu"] = path.name
    (folder / "model.json").write_text(json.dumps(described, indent=2) + "\n", "utf8")


def in_bytes(weights, tops):
    """The constants of `Integers`: those of first layer and heads as they are, of hidden layers as bytes and scales."""
    numbers = {name: values for name, values in weights.items() if not name.startswith("weights.") or name == "weights.0"}
    for layer in range(1, len(DILATIONS)):
        weight, step = weights[f"weights.{layer}"], KEPT_RANGE * tops[layer - 1] / 255
        columns = np.maximum(np.abs(weight).max(0), 1e-12) / WEIGHT_LIMIT
        rounded = np.clip(np.round(weight / columns), -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8)
        numbers.update({f"step.{layer}": np.float32(step), f"bytes.{layer}": rounded, f"scale.{layer}": (step * columns).astype(np.float32)})
    return numbers


class Integers:
    """The graph, node by node. x [B, T, 80], s0 [B, 2, 80] float32, s1 [B, N, width] bytes -> logp, score, n0, n1 as `Streaming`.

    A graph of few nodes: each costs a pass over all activations, and together they took as long as the products do where the
    processor has instructions for them.
    """

    def __init__(self, numbers):
        self.numbers = numbers
        self.nodes, self.stored, self.places = [], {}, {}

    def model(self):
        reaches = [(TAPS - 1) * dilation for dilation in DILATIONS]
        inputs = self.numbers["weights.0"].shape[0] // TAPS
        width = self.numbers["weights.0"].shape[1]
        self.steps = self.counted("x")
        taps = self.past("0", "s0", "x", DILATIONS[0], "n0")
        x = self.node("Relu", self.node("Add", self.node("MatMul", taps, self.constant("weights.0")), self.constant("biases.0")))
        self.stored["reaches"] = np.array(reaches[1:], np.int64)
        before = [f"before.{layer}" for layer in range(1, len(DILATIONS))]
        self.nodes.append(helper.make_node("Split", ["s1", "reaches"], before, axis=1))
        kept = [f"kept.{layer}" for layer in range(1, len(DILATIONS))]
        for layer, dilation in enumerate(DILATIONS[1:], 1):
            x = self.hidden(str(layer), x, before[layer - 1], dilation, kept[layer - 1])
        self.node("Concat", *kept, output="n1", axis=1)
        out = self.node("Add", self.node("MatMul", x, self.constant("head")), self.constant("head_bias"))
        self.stored["heads"] = np.array([PHONES_OUT, PHONES_OUT], np.int64)
        self.nodes.append(helper.make_node("Split", [out, "heads"], ["logits", "score"], axis=2))
        self.node("LogSoftmax", "logits", output="logp", axis=-1)
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes, "integers",
            [value("x", TensorProto.FLOAT, ["B", "T", inputs]), value("s0", TensorProto.FLOAT, ["B", reaches[0], inputs]),
             value("s1", TensorProto.UINT8, ["B", sum(reaches[1:]), width])],
            [value("logp", TensorProto.FLOAT, ["B", "T", PHONES_OUT]), value("score", TensorProto.FLOAT, ["B", "T", PHONES_OUT]),
             value("n0", TensorProto.FLOAT, ["B", reaches[0], inputs]), value("n1", TensorProto.UINT8, ["B", sum(reaches[1:]), width])],
            [numpy_helper.from_array(np.asarray(values), name) for name, values in self.stored.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)])
        model.ir_version = 7
        return model

    def hidden(self, layer, x, before, dilation, kept):
        """relu(taps(x) W + b) + x, in bytes up to the sum of products. Everything before it was a ReLU: bytes begin at 0."""
        self.stored.update({"zero": np.uint8(0), "one": np.float32(1)})
        coarse = self.node("QuantizeLinear", x, self.constant(f"step.{layer}"), "zero")
        taps = self.past(layer, before, coarse, dilation, kept)
        numbers = [self.constant(f"{part}.{layer}") for part in ("bytes", "scale", "biases")]
        product = [taps, numbers[0], "one", numbers[1], "", "", numbers[2]]
        return self.node("Add", x, self.node("Relu", self.node("MatMulIntegerToFloat", *product, domain=FUSED)))

    def past(self, layer, before, now, dilation, kept):
        """Each step beside its past at one and two dilations, [B, T, 3 C]; what the next chunk needs is named `kept`."""
        whole, reach = self.node("Concat", before, now, axis=1), (TAPS - 1) * dilation
        for number in (1, -reach, np.iinfo(np.int64).max):
            self.stored[f"int.{number}"] = np.array([number], np.int64)
        self.node("Slice", whole, f"int.{-reach}", f"int.{np.iinfo(np.int64).max}", "int.1", output=kept)
        self.stored["taps"] = np.array([0, 0, -1], np.int64)
        return self.node("Reshape", self.node("Gather", whole, self.tap_places(dilation), axis=1), "taps")

    def counted(self, x):
        """0 to T - 1, [T, 1], of what is [B, T, C]."""
        self.stored.update({"axis": np.array(1, np.int64), "first": np.array(0, np.int64), "int.1": np.array([1], np.int64)})
        steps = self.node("Gather", self.node("Shape", x), "axis")
        return self.node("Unsqueeze", self.node("Range", "first", steps, "axis"), "int.1")

    def tap_places(self, dilation):
        """Where in its past and itself each step finds its taps, [T, 3]; made once a dilation."""
        if dilation not in self.places:
            self.stored[f"taps.{dilation}"] = np.array([[0, dilation, 2 * dilation]], np.int64)
            self.places[dilation] = self.node("Add", self.steps, f"taps.{dilation}")
        return self.places[dilation]

    def constant(self, name):
        self.stored[name] = self.numbers[name]
        return name

    def node(self, kind, *inputs, output=None, **attributes):
        output = output or f"{kind}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output


def constants(path):
    """{name: values} of a file; floats as float32, those stored as float16 under the names they are used by."""
    stored = {tensor.name.removesuffix(".half"): numpy_helper.to_array(tensor) for tensor in onnx.load(str(path)).graph.initializer}
    return {name: values.astype(np.float32) if values.dtype.kind == "f" else values for name, values in stored.items()}


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
    import onnxruntime

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
    parser.add_argument("--cache", help="the recordings that ranges are taken from; absent: the numbers of the file are kept")
    parser.add_argument("--package", required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
