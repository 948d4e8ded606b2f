"""A small perceptron over standardised inputs; several seeds averaged (src/scoring/calibrate/regressor.ts, `layers`)."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .trees import short

HIDDEN, SECOND, EPOCHS, BATCH, RATE, DROPOUT, JITTER, LIMIT = 48, 24, 12, 512, 2e-3, 0.2, 0.1, 5.0


class Perceptron:
    """Fitted on x [n, inputs], y [n]; `plain` inputs (one-hot columns) are left as they are."""

    def __init__(self, x, y, plain, seeds=(0, 1)):
        self.mean, self.deviation = np.where(plain, 0, x.mean(0)), np.where(plain, 1, np.maximum(x.std(0), 0.05))
        tensors = [torch.from_numpy(v.astype(np.float32)) for v in (self._standard(x), y, ~plain)]
        self.networks = [train(*tensors, seed) for seed in seeds]

    def _standard(self, x):
        return np.clip((x - self.mean) / self.deviation, -LIMIT, LIMIT)

    def predict(self, x):
        inputs = torch.from_numpy(self._standard(x).astype(np.float32))
        with torch.no_grad():
            return np.mean([network(inputs)[:, 0].numpy() for network in self.networks], 0)

    def flatten(self):
        """A list with one `layers` regressor a seed."""
        return [{"kind": "layers", "mean": rounded(self.mean), "deviation": rounded(self.deviation),
                 "layers": [{"weight": rounded(layer.weight), "bias": rounded(layer.bias)}
                            for layer in network if isinstance(layer, nn.Linear)]} for network in self.networks]


def train(inputs, target, noisy, seed):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(inputs.shape[1], HIDDEN), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(HIDDEN, SECOND),
                            nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(SECOND, 1))
    with torch.no_grad():
        network[-1].bias.fill_(float(target.mean()))
    steps = EPOCHS * (len(inputs) // BATCH + 1)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.15)
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(inputs)).split(BATCH):
            x = inputs[chosen]
            x = x + JITTER * noisy * torch.randn_like(x)
            loss = F.mse_loss(network(x)[:, 0], target[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def rounded(values):
    array = values.detach().numpy() if hasattr(values, "detach") else np.asarray(values)
    return [short(v) for v in array.ravel()]
