"""Grad-CAM++: where in a layer's own coarse view a class was seen.

Chattopadhay et al. 2018 (arXiv:1710.11063), with the score put through an exponential as they do, whose
derivatives are powers of the first.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from core.errors import ParameterInvalid
from core.explain.score import class_score


def grad_cam_plus_plus(network: nn.Module, layer: str, picture: ArrayLike, index: int) -> NDArray[np.float32]:
    """Map where a layer supports a class.

    Args:
        network: Gives ``(B, K)`` logits; it should be in evaluation mode.
        layer: Name of a module in it whose output is ``(B, C, h, w)``, ``"layer4"``.
        picture: ``(C, H, W)`` as the network takes it.
        index: The class.

    Returns:
        ``(H, W)`` in [0, 1], 1 at the strongest; all 0 when nothing supports the class.

    Raises:
        ParameterInvalid: There is no such layer or class, or the layer gives no ``(B, C, h, w)``.
    """
    pixels = torch.from_numpy(np.array(picture, np.float32))  # a copy: it is asked for gradients
    if pixels.ndim != 3:
        raise _refused("picture", tuple(pixels.shape), "(C, H, W)")
    modules = dict(network.named_modules())
    if not layer or layer not in modules:
        raise _refused("layer", layer, "the name of one of the network's modules")
    seen: list[Tensor] = []

    def keep(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
        seen.append(output)
        return output.clone()  # the next layer may work in place

    hook = modules[layer].register_forward_hook(keep)
    try:
        with torch.enable_grad():
            score = class_score(network, index)(pixels[None].requires_grad_(True))
    finally:
        hook.remove()
    if not seen or not isinstance(seen[-1], Tensor) or seen[-1].ndim != 4:
        raise _refused("layer", layer, "one that gives (B, C, h, w)")
    (gradient,) = torch.autograd.grad(score.sum(), seen[-1])
    coarse = _weighted(seen[-1].detach().float(), gradient.float())
    full = F.interpolate(coarse, size=pixels.shape[1:], mode="bilinear", align_corners=False)[0, 0]
    peak = float(full.max())
    relevance: NDArray[np.float32] = (full / peak if peak > 0 else full).numpy()
    return relevance


def _weighted(activation: Tensor, gradient: Tensor) -> Tensor:
    """``(1, C, h, w)`` activations and gradients to the ``(1, 1, h, w)`` map: equations 7, 10 and 19."""
    square, cube = gradient**2, gradient**3
    denominator = 2 * square + activation.sum(dim=(2, 3), keepdim=True) * cube
    alpha = torch.where(denominator.abs() > 0, square / denominator, torch.zeros_like(square))
    alpha = torch.where(torch.isfinite(alpha), alpha, torch.zeros_like(alpha))
    weights = (alpha * gradient.relu()).sum(dim=(2, 3), keepdim=True)
    return (weights * activation).sum(dim=1, keepdim=True).relu()


def _refused(name: str, given: object, limit: object) -> ParameterInvalid:
    return ParameterInvalid(
        f"{name} must be {limit}, got {given!r}.", parameter=name, given=given, limit=limit
    )
