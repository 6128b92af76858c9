"""A small network and small pictures for the tests of explanations."""

import numpy as np
import torch
from scipy import ndimage
from torch import nn


def small_network(seed=0, classes=5):
    """Three convolutions with batch normalisation, in evaluation mode, its statistics as after training."""
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 5, 4, 2, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Conv2d(8, 16, 3, 2, 1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(inplace=True),
        nn.Conv2d(16, 16, 3, 1, 1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, classes),
    )
    for module in network:
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.3, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network.eval()


def picture(side=96, seed=0):
    """``(3, side, side)`` float32 in [-1, 1]: a smooth sky with a galaxy and some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    sky = ndimage.gaussian_filter(rng.normal(size=(3, side, side)), (0, side / 12, side / 12))
    sky = 0.4 * sky / np.abs(sky).max()
    galaxy = np.exp(-(((x - 0.6) / 0.12) ** 2) - ((y - 0.4) / 0.07) ** 2)
    frame = sky + galaxy * np.array([0.9, 0.8, 1.0])[:, None, None] + rng.normal(0, 0.03, sky.shape)
    return np.clip(frame - 0.3, -1, 1).astype(np.float32)
