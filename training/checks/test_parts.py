"""Checks of the arithmetic, on made-up data."""
import unittest

import numpy as np
import torch

from calibration import flattened, trees
from calibration.line import Line
from calibration.perceptron import Perceptron
from learner.align import align
from learner.logmel import frame_count, log_mel, normalise
from learner.network import Network
from learner.phones import INDEX, SILENCE_INDEX, same_class
from learner.streaming import Streaming
from learner.viterbi import best_path


class Features(unittest.TestCase):
    def test_a_frame_needs_its_whole_window(self):
        for samples, frames in [(399, 0), (400, 1), (559, 1), (560, 2)]:
            self.assertEqual(frame_count(samples), frames)

    def test_silence_is_the_floor(self):
        np.testing.assert_allclose(log_mel(np.zeros(800)), np.log(1000.0), rtol=1e-6)

    def test_normalising_looks_only_back(self):
        features = np.random.default_rng(0).normal(10, 2, (60, 40))
        whole = normalise(features, np.full(40, 9.0), np.ones(40))
        start = normalise(features[:30], np.full(40, 9.0), np.ones(40))
        np.testing.assert_allclose(whole[:30], start)


class Paths(unittest.TestCase):
    def test_skips_what_may_be_skipped(self):
        observed = np.full((4, 3), -10.0)
        observed[[0, 1, 2, 3], [0, 0, 2, 2]] = 0
        self.assertEqual(best_path(observed, [False, True, False])[0].tolist(), [0, 0, 2, 2])

    def test_aligns_repeated_phones_apart(self):
        k = INDEX["K"]
        logs = np.full((6, 40), -8.0)
        logs[[0, 1, 4, 5], [k, k, k, k]] = -0.1
        logs[[2, 3], SILENCE_INDEX] = -0.1
        self.assertEqual(align(logs, [[k], [k]]), [[0, 2], [4, 6]])

    def test_more_phones_than_steps(self):
        self.assertEqual(len(align(np.zeros((2, 40)), [[1, 2, 3]])), 3)


class Networks(unittest.TestCase):
    def test_the_step_function_equals_the_network(self):
        torch.manual_seed(0)
        network = Network().eval()
        streaming = Streaming(network)
        x = torch.randn(1, 12, 80)
        state = [torch.zeros(1, *shape) for shape in streaming.state_shapes()]
        with torch.no_grad():
            logs = torch.log_softmax(network(x)[0], -1)
            found = torch.cat([streaming(x[:, :5], *state)[0], streaming(x[:, 5:], *streaming(x[:, :5], *state)[2:])[0]], 1)
        self.assertLess(float((logs - found).abs().max()), 0.05)

    def test_every_phone_has_rivals_of_its_class(self):
        for phone in range(39):
            self.assertNotIn(phone, same_class(phone))
            self.assertGreaterEqual(len(same_class(phone)), 2)


class Calibration(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(0)
        self.x = rng.normal(-2, 2, (400, 5))
        self.y = np.clip(2 + 0.3 * self.x[:, 0] + rng.normal(0, 0.2, 400), 0, 2)

    def test_what_is_written_predicts_what_was_fitted(self):
        forest = trees.fit(self.x, self.y, max_iter=20)
        np.testing.assert_allclose(flattened.predict(trees.flatten([forest]), self.x), forest.predict(self.x), atol=1e-3)
        perceptron = Perceptron(self.x, self.y, np.zeros(5, bool), seeds=(0,))
        np.testing.assert_allclose(flattened.predict(perceptron.flatten()[0], self.x), perceptron.predict(self.x), atol=1e-3)
        line = Line(self.x, self.y)
        np.testing.assert_allclose(flattened.predict(line.flatten(), self.x), line.predict(self.x), atol=1e-3)

    def test_the_line_rises_with_the_first_input_alone_and_takes_its_share(self):
        line = Line(self.x, self.y)
        self.assertGreater(line.slope, 0)
        other = self.x.copy()
        other[:, 1:] += 1
        np.testing.assert_array_equal(line.predict(other), line.predict(self.x))
        constant = {"kind": "trees", "base": 1.0, "roots": [], "feature": [], "threshold": [], "left": [], "right": [], "value": []}
        joined = line.join({"kind": "sum", "of": [{"weight": 1, "model": constant}]}, 0.25)
        np.testing.assert_allclose(flattened.predict(joined, self.x), 0.75 + 0.25 * line.predict(self.x), atol=1e-3)


if __name__ == "__main__":
    unittest.main()
