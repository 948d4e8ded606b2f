"""From segment features to calibrated scores: trees and a small perceptron, fitted out of fold."""
