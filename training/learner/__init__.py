"""How the shipped English learner model is made: data, labels, network, calibrator, package."""
