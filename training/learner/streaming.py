"""The trained network as one pure step function with explicit state, ready for ONNX."""
import torch
from torch import nn

from .network import PHONES_OUT, TAPS


class Streaming(nn.Module):
    """x [B, T, 80], s0 [B, 2, 80], s1 [B, N, width] -> (logp [B, T, 40], score [B, T, 40], n0, n1).

    Weights are rounded to float16, as the package stores them. s0 is the past of the first block, s1 the pasts of the others one behind the other; all zero at the start.
    """

    def __init__(self, network):
        super().__init__()
        self.dilations = [block.dilation for block in network.blocks]
        self.weights = nn.ParameterList([rounded(block.folded().T) for block in network.blocks])
        self.biases = nn.ParameterList([frozen(block.bias) for block in network.blocks])
        self.head = rounded(network.heads.weight.T)
        self.head_bias = frozen(network.heads.bias)

    def state_shapes(self):
        """[[2, 80], [N, width]]: one stream's state."""
        reaches = [(TAPS - 1) * d for d in self.dilations]
        return [[reaches[0], self.weights[0].shape[0] // TAPS], [sum(reaches[1:]), self.weights[0].shape[1]]]

    def forward(self, x, s0, s1):
        kept, at, n0 = [], 0, s0
        for number, (dilation, weight, bias) in enumerate(zip(self.dilations, self.weights, self.biases)):
            reach = (TAPS - 1) * dilation
            past = torch.cat([s0 if number == 0 else s1[:, at: at + reach], x], 1)
            taps = torch.cat([past[:, :-reach], past[:, dilation:-dilation], past[:, reach:]], 2)
            y = torch.relu(taps @ weight + bias)
            if number == 0:
                n0, x = past[:, -reach:], y
            else:
                at += reach
                kept.append(past[:, -reach:])
                x = x + y
        out = x @ self.head + self.head_bias
        return torch.log_softmax(out[..., :PHONES_OUT], -1), out[..., PHONES_OUT:], n0, torch.cat(kept, 1)


def rounded(tensor):
    return frozen(tensor.half().float())


def frozen(tensor):
    return nn.Parameter(tensor.detach().contiguous().clone(), requires_grad=False)
