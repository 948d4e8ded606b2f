"""The network: dense causal dilated taps with residuals, two heads.

One step is two 10 ms frames. A block is linear(3 taps) -> ReLU -> residual. Weights are standardised (zero mean and fixed
power a row, Brock et al., arXiv 2101.08692) in place of batch normalisation: as steady, and it costs nothing a frame.
The answer about step j is given at step j + DELAY_STEPS.
"""
import torch
import torch.nn.functional as F
from torch import nn

from .logmel import BINS
from .phones import LABELS

DILATIONS = (1, 1, 2, 4, 8, 4, 2)
TAPS, WIDTH, STACK, DELAY_STEPS = 3, 288, 2, 4
RELU_GAIN, RESIDUAL_SCALE = 1.7139588594436646, 0.4
WEIGHT_SIZE = 0.03
PHONES_OUT = len(LABELS)


class Taps(torch.autograd.Function):
    """[B, T, C] -> [B, T, 3C]: each step beside its past at one and two dilations; zeros before the start."""

    @staticmethod
    def forward(context, x, dilation):
        context.dilation = dilation
        past = F.pad(x, (0, 0, 2 * dilation, 0))
        return torch.cat([past[:, i * dilation: i * dilation + x.shape[1]] for i in range(TAPS)], 2)

    @staticmethod
    def backward(context, gradient):
        far, near, now = gradient.chunk(TAPS, 2)
        total, d = now.clone(), context.dilation
        total[:, :-d] += near[:, d:]
        total[:, : -2 * d] += far[:, 2 * d:]
        return total, None


class Block(nn.Module):
    """x [B, T, inputs] -> [B, T, width]."""

    def __init__(self, inputs, width, dilation):
        super().__init__()
        self.dilation = dilation
        self.residual = inputs == width
        self.weight = nn.Parameter(WEIGHT_SIZE * torch.randn(width, inputs * TAPS))
        self.gain = nn.Parameter(torch.full((width, 1), RELU_GAIN * (RESIDUAL_SCALE if self.residual else 1.0)))
        self.bias = nn.Parameter(torch.zeros(width))

    def folded(self):
        """The weight that multiplies the taps, [width, 3 * inputs]: standardised rows times their gain."""
        mean = self.weight.mean(1, keepdim=True)
        power = self.weight.var(1, keepdim=True) * self.weight.shape[1]
        return (self.weight - mean) * torch.rsqrt(power + 1e-6) * self.gain

    def forward(self, x):
        taps = Taps.apply(x, self.dilation)
        y = F.relu(F.linear(taps, self.folded().to(x.dtype), self.bias.to(x.dtype)))
        return x + y if self.residual else y


class Network(nn.Module):
    """[B, T, 80] normalised log-mel -> (phone logits [B, T, 40], score logits [B, T, 40]), both float32."""

    def __init__(self, width=WIDTH, dilations=DILATIONS, dropout=0.1):
        super().__init__()
        inputs = [STACK * BINS] + [width] * (len(dilations) - 1)
        self.blocks = nn.ModuleList([Block(i, width, d) for i, d in zip(inputs, dilations)])
        self.heads = nn.Linear(width, 2 * PHONES_OUT)
        self.dropout = dropout

    def hidden(self, x):
        for block in self.blocks:
            x = block(x)
        return x

    def forward(self, x):
        h = self.hidden(x)
        if self.training:
            h = h * F.dropout(torch.ones_like(h[:, :1]), self.dropout)
        out = F.linear(h, self.heads.weight.to(h.dtype), self.heads.bias.to(h.dtype)).float()
        return out[..., :PHONES_OUT], out[..., PHONES_OUT:]
