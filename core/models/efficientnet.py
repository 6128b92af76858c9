"""EfficientNet-Lite0: a small network for pictures, of which a package ships ImageNet weights.

Tan & Le 2019, arXiv:1905.11946, without squeeze and excitation and with ReLU6, as published for small devices
(github.com/tensorflow/tpu, efficientnet/lite). B pictures, H × W pixels.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

STAGES = (
    # kernel, stride, expansion, channels, repeats
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
WIDTH = 1280
"""Of the features."""


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow pads even sides: more on the right and below."""

    def forward(self, x: Tensor) -> Tensor:
        """``(B, C, H, W)`` to ``(B, C', H / stride, W / stride)``."""
        need = self.kernel_size[0] - self.stride[0]
        return super().forward(F.pad(x, [need // 2, need - need // 2] * 2))


class InvertedBottleneck(nn.Module):
    """Expansion, a convolution of each channel by itself, projection."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        if expansion != 1:
            self._expand_conv = nn.Conv2d(inputs, width, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(width, eps=1e-3)
        self._depthwise_conv = SameConv2d(width, width, kernel, stride, groups=width, bias=False)
        self._bn1 = nn.BatchNorm2d(width, eps=1e-3)
        self._project_conv = nn.Conv2d(width, outputs, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(outputs, eps=1e-3)
        self.expands, self.skips = expansion != 1, stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """``(B, inputs, H, W)`` to ``(B, outputs, H / stride, W / stride)``."""
        inputs = x
        if self.expands:
            x = F.relu6(self._bn0(self._expand_conv(x)))
        x = F.relu6(self._bn1(self._depthwise_conv(x)))
        out: Tensor = self._bn2(self._project_conv(x))
        return out + inputs if self.skips else out


class EfficientNetLite0(nn.Module):
    """The network, with the names of the published weights.

    Args:
        classes: Logits it gives.
    """

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self._conv_stem = SameConv2d(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=1e-3)
        blocks, inputs = [], 32
        for kernel, stride, expansion, channels, repeats in STAGES:
            for repeat in range(repeats):
                blocks.append(
                    InvertedBottleneck(inputs, channels, kernel, 1 if repeat else stride, expansion)
                )
                inputs = channels
        self._blocks = nn.Sequential(*blocks)
        self._conv_head = nn.Conv2d(inputs, WIDTH, 1, bias=False)
        self._bn1 = nn.BatchNorm2d(WIDTH, eps=1e-3)
        self._fc = nn.Linear(WIDTH, classes)

    def features(self, x: Tensor) -> Tensor:
        """``(B, 3, H, W)`` pictures in [-1, 1], sides multiples of 32, to ``(B, 1280, H/32, W/32)``."""
        x = self._blocks(F.relu6(self._bn0(self._conv_stem(x))))
        found: Tensor = F.relu6(self._bn1(self._conv_head(x)))
        return found

    def forward(self, x: Tensor) -> Tensor:
        """``(B, 3, H, W)`` pictures in [-1, 1] to ``(B, classes)`` logits."""
        logits: Tensor = self._fc(self.features(x).mean(dim=(2, 3)))
        return logits

    def logits_around(self, x: Tensor, places: int = 7, step: int = 1) -> Tensor:
        """What :meth:`forward` says of squares all over a picture, in one pass.

        Args:
            x: As for :meth:`features`.
            places: Side of a square, in features of 32 px; 7 are 224 px.
            step: From one square to the next, in features.

        Returns:
            ``(B, classes, h, w)``.
        """
        means = F.avg_pool2d(self.features(x), places, step)
        logits: Tensor = F.conv2d(means, self._fc.weight[:, :, None, None], self._fc.bias)
        return logits
