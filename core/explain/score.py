"""What is explained: one differentiable number a picture."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, fx, nn
from torch.fx.proxy import TraceError
from torch.nn.utils.fusion import fuse_conv_bn_eval

from core.errors import ParameterInvalid

Score: TypeAlias = Callable[[Tensor], Tensor]
"""``(B, C, H, W)`` float32 pictures as the network takes them, to ``(B,)`` scores."""


def class_score(network: nn.Module, index: int, *, softmax: bool = False) -> Score:
    """The score of one class.

    The logit is the better thing to explain: along the path to a baseline a softmax is flat nearly
    everywhere, and its few steep places need many steps to be hit.

    Args:
        network: Gives ``(B, K)`` logits; it should be in evaluation mode.
        index: The class.
        softmax: The class's probability in place of its logit.

    Raises:
        ParameterInvalid: When called: the network does not have such a class.
    """

    def score(pictures: Tensor) -> Tensor:
        logits: Tensor = network(pictures)
        if logits.ndim != 2 or not 0 <= index < logits.shape[1]:
            raise ParameterInvalid(
                f"index must be a class of the network, whose output is {tuple(logits.shape)}; got {index}.",
                parameter="index",
                given=index,
                limit=tuple(logits.shape),
            )
        logits = logits.float()
        return logits.softmax(dim=1)[:, index] if softmax else logits[:, index]

    return score


def for_explaining(network: nn.Module) -> nn.Module:
    """A copy of a network that gives the same output and is quicker to differentiate by its input.

    It is in evaluation mode, its weights are frozen and lie channels last, and each batch normalisation
    that follows a convolution is folded into it. A network that ``torch.fx`` cannot trace is copied
    without the folding.
    """
    frozen = copy.deepcopy(network).eval().requires_grad_(False)
    try:
        frozen = _folded(frozen)
    except (TraceError, TypeError, NotImplementedError, AttributeError):
        frozen = copy.deepcopy(network).eval().requires_grad_(False)
    return frozen.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


class _Tracer(fx.Tracer):
    """Sees a convolution as one step, also where a network has its own kind of it."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        """Whether to stay outside."""
        return isinstance(module, nn.Conv2d) or super().is_leaf_module(module, name)


def _folded(network: nn.Module) -> fx.GraphModule:
    """Fold each ``BatchNorm2d`` that alone reads a ``Conv2d``'s output; ``network`` is in evaluation mode.

    Raises:
        TraceError: The network's course depends on its input.
    """
    traced = fx.GraphModule(network, _Tracer().trace(network))
    modules = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        if node.op != "call_module" or not isinstance(modules[node.target], nn.BatchNorm2d):
            continue
        before = node.args[0]
        if before.op != "call_module" or len(before.users) > 1:
            continue
        convolution, norm = modules[before.target], modules[node.target]
        shared = sum(other.target == before.target for other in traced.graph.nodes) > 1
        if shared or not isinstance(convolution, nn.Conv2d) or norm.running_mean is None:
            continue
        parent, _, name = before.target.rpartition(".")
        fused = fuse_conv_bn_eval(convolution, norm).requires_grad_(False)
        setattr(traced.get_submodule(parent), name, fused)
        modules[before.target] = fused
        node.replace_all_uses_with(before)
        traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced
