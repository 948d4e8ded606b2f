"""A trained network over whole stored utterances."""
from pathlib import Path

import numpy as np
import torch

from .logmel import BINS, log_mel, normalise
from .network import DELAY_STEPS, PHONES_OUT, STACK, Network


PRIOR_REMOVED, PRIOR_REMOVED_TO_ALIGN = 0.5, 0.5


class Trained:
    """Weights and statistics of CACHE/nets/NAME.pt.

    Frequent phones and silence are believed too easily, so PRIOR_REMOVED of the log prior is taken off the phone head for
    good (the package has it in its bias) and `alignment_bias` [40] takes off more while aligning.
    """

    def __init__(self, cache, name):
        saved = torch.load(Path(cache) / "nets" / f"{name}.pt", map_location="cpu")
        self.fold = saved["fold"]
        self.statistics = saved["mean"], saved["deviation"]
        self.network = Network()
        self.network.load_state_dict(saved["state"])
        prior = torch.from_numpy(saved["log_prior"]).float()
        with torch.no_grad():
            self.network.heads.bias[:PHONES_OUT] -= PRIOR_REMOVED * prior
        self.alignment_bias = -PRIOR_REMOVED_TO_ALIGN * prior.numpy()
        self.network.eval()

    def steps_of(self, samples):
        """int16 samples -> normalised input [steps, 80], with DELAY_STEPS of silence (zeros) behind."""
        features = normalise(log_mel(samples), *self.statistics).astype(np.float32)
        steps = len(features) // STACK
        padded = np.concatenate([features[: steps * STACK], np.zeros((DELAY_STEPS * STACK, BINS), np.float32)])
        return padded.reshape(steps + DELAY_STEPS, STACK * BINS)

    def outputs(self, samples):
        """int16 samples -> (log posteriors [steps, 40], score logits [steps, 40]); row j is about step j."""
        with torch.no_grad():
            phones, scores = self.network(torch.from_numpy(self.steps_of(samples))[None])
            return torch.log_softmax(phones, -1)[0, DELAY_STEPS:].numpy(), scores[0, DELAY_STEPS:, :PHONES_OUT].numpy()
