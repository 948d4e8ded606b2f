"""A small perceptron over standardised features and the phone's identity; several seeds averaged."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from learner.phones import PHONES

from .trees import short

HIDDEN, SECOND, EPOCHS, BATCH, RATE, DROPOUT, JITTER, LIMIT = 48, 24, 12, 512, 2e-3, 0.2, 0.1, 5.0


class Perceptron:
    """mean [n], deviation [n] and one network a seed; `predict(x, phones)` gives scores."""

    def __init__(self, x, phones, y, seeds=(0, 1)):
        self.mean, self.deviation = x.mean(0), np.maximum(x.std(0), 0.05)
        inputs = torch.from_numpy(self._inputs(x, phones))
        target = torch.from_numpy(y.astype(np.float32))
        self.networks = [train(inputs, target, x.shape[1], seed) for seed in seeds]

    def _inputs(self, x, phones):
        scaled = np.clip((x - self.mean) / self.deviation, -LIMIT, LIMIT)
        return np.concatenate([scaled, np.eye(len(PHONES))[phones]], 1).astype(np.float32)

    def predict(self, x, phones):
        inputs = torch.from_numpy(self._inputs(x, phones))
        with torch.no_grad():
            return np.mean([network(inputs)[:, 0].numpy() for network in self.networks], 0)

    def flatten(self):
        """{"mean", "deviation", "limit", "networks": [{"layers": [{"weight": [out][in], "bias": [out]}]}]}; ReLU between."""
        networks = []
        for network in self.networks:
            linear = [layer for layer in network if isinstance(layer, nn.Linear)]
            networks.append({"layers": [{"weight": rounded(layer.weight), "bias": rounded(layer.bias)} for layer in linear]})
        return {"mean": rounded(self.mean), "deviation": rounded(self.deviation), "limit": LIMIT, "networks": networks}


def train(inputs, target, numeric, seed):
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
            x = torch.cat([x[:, :numeric] + JITTER * torch.randn(len(x), numeric), x[:, numeric:]], 1)
            loss = F.mse_loss(network(x)[:, 0], target[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def rounded(values):
    array = values.detach().numpy() if hasattr(values, "detach") else np.asarray(values)
    if array.ndim > 1:
        return [rounded(row) for row in array]
    return [short(v) for v in array]
