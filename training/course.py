"""What trainings of our own networks share: a course over a time that is given, and batches made ahead."""

from __future__ import annotations

import copy
import json
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from core.models.inference import inference_dtype
from core.models.weights import unpacked_int8

Network = TypeVar("Network", bound=nn.Module)
Batch = TypeVar("Batch")
AnyCourse = TypeVar("AnyCourse", bound="Course[Any]")

AHEAD = 3
"""Batches that wait to be learned from."""
SHOW_EVERY, KEEP_SECONDS, CHECK_SECONDS = 20, 90.0, 240.0
"""Steps between two lines of losses, and seconds between two checkpoints and between two checks."""


class Course(Generic[Network]):
    """A network on its course: its slow average, its optimiser, and how much of the time is over.

    The rate rises over the first steps and falls as a cosine of the time spent in steps, over all runs
    together: a training on a slow machine makes fewer steps and ends as gently.

    Attributes:
        network: What learns.
        average: Its exponential average over the steps, which is what is kept in the end.
        step, seconds: Steps made, and time spent in them.
        minutes_before: Minutes of the training whose weights this one began from.

    Args:
        network: On any device.
        path: Of the checkpoint.
        minutes: Time for all steps of all runs.
        rate: Highest rate of AdamW.
        device: Where to learn.
        decay: Of the weights.
        warm_up: Steps over which the rate rises.
        clip: Greatest norm of a gradient.
    """

    least_rate = 0.02
    """Part of the rate that is left in the end."""
    slowest = 0.998
    """How much of the average stays in a step, once there have been many."""

    def __init__(
        self,
        network: Network,
        path: Path,
        *,
        minutes: float,
        rate: float,
        device: torch.device,
        decay: float = 0.01,
        warm_up: int = 100,
        clip: float = 5.0,
    ) -> None:
        self.path, self.minutes, self.rate, self.device = path, minutes, rate, device
        self.warm_up, self.clip = warm_up, clip
        self.network: Network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimiser: torch.optim.Optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=rate, weight_decay=decay
        )
        self.dtype = torch.bfloat16 if device.type == "cuda" else inference_dtype()
        self.step, self.seconds, self.minutes_before = 0, 0.0, 0.0

    @property
    def finished(self) -> float:
        """Part of the time that is over."""
        return self.seconds / (60.0 * self.minutes)

    @property
    def rate_now(self) -> float:
        """Of the next step."""
        rising = min(1.0, (self.step + 1) / self.warm_up)
        falling = 0.5 * (1.0 + math.cos(math.pi * min(self.finished, 1.0)))
        return self.rate * rising * (self.least_rate + (1.0 - self.least_rate) * falling)

    @property
    def parts(self) -> dict[str, Any]:
        """What has a state that stands in the checkpoint, by its name there."""
        return {"network": self.network, "average": self.average, "optimiser": self.optimiser}

    def autocast(self) -> AbstractContextManager[Any]:
        """Multiply in bfloat16 where that is fast."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16)

    def resume(self) -> dict[str, Any] | None:
        """Go on from the checkpoint; all that stands in it, or None where there is none."""
        if not self.path.exists():
            return None
        kept: dict[str, Any] = torch.load(self.path, map_location=self.device, weights_only=True)
        for name, part in self.parts.items():
            part.load_state_dict(kept[name])
        self.step, self.seconds = kept["step"], kept["seconds"]
        self.minutes_before = kept.get("minutes_before", 0.0)
        return kept

    def begin_from(self, path: Path) -> None:
        """Take the weights of another training: of its checkpoint, or as it wrote them beside their card."""
        if path.suffix == ".safetensors":
            self.take_weights(unpacked_int8(load_file(path)))
            self.minutes_before = float(json.loads(path.with_suffix(".json").read_text("utf-8"))["minutes"])
            return
        kept = torch.load(path, map_location=self.device, weights_only=True)
        self.take_weights(kept["average"])
        self.minutes_before = kept["seconds"] / 60.0 + kept.get("minutes_before", 0.0)

    def take_weights(self, state: dict[str, Tensor]) -> None:
        """Go on with these weights, the average too."""
        self.network.load_state_dict(state)
        self.average.load_state_dict(state)

    def keep(self, **more: Any) -> None:
        """Write the checkpoint, whole or not at all.

        Args:
            more: What :meth:`resume` should give back besides.
        """
        state = {
            **{name: part.state_dict() for name, part in self.parts.items()},
            "step": self.step,
            "seconds": self.seconds,
            "minutes_before": self.minutes_before,
            **more,
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.path)

    def take_step(self, loss_of: Callable[[], Tensor]) -> float:
        """One step down the loss that is worked out within it; the loss."""
        start = time.perf_counter()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate_now
        self.network.train()
        loss = loss_of()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimiser.step()
        self._average()
        self.step += 1
        value = float(loss.detach())
        self.seconds += time.perf_counter() - start
        return value

    def learn(
        self, losses_of: Callable[[], Mapping[str, Tensor]], weights: Mapping[str, float]
    ) -> dict[str, float]:
        """One step down the weighed sum of losses that are worked out within it; each by its name.

        Args:
            losses_of: Gives them.
            weights: Of each in the sum.
        """
        found: dict[str, Tensor] = {}

        def total() -> Tensor:
            found.update(losses_of())
            return torch.stack([weights[name] * loss for name, loss in found.items()]).sum()

        self.take_step(total)
        return {name: float(loss.detach()) for name, loss in found.items()}

    @property
    def kept_state(self) -> dict[str, Tensor]:
        """The averaged weights, as they are written."""
        state = self.average.state_dict()
        return {name: part.float() if part.is_floating_point() else part for name, part in state.items()}

    @torch.no_grad()
    def _average(self) -> None:
        stays = min(self.slowest, (self.step + 1) / (self.step + 10))
        now = self.network.state_dict()
        for name, slow in self.average.state_dict().items():
            if slow.dtype.is_floating_point:
                slow.lerp_(now[name], 1.0 - stays)
            else:
                slow.copy_(now[name])


def ahead(make: Callable[[int], Iterator[Batch]], threads: int = 1) -> Iterator[Batch]:
    """Endless batches, made in threads of their own while others are learned from.

    Args:
        make: Given the number of a thread, makes its batches.
        threads: How many.
    """
    ready: queue.Queue[Batch] = queue.Queue(maxsize=AHEAD * threads)

    def work(number: int) -> None:
        for batch in make(number):
            ready.put(batch)

    for number in range(threads):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    while True:
        yield ready.get()


def train(
    course: AnyCourse,
    make: Callable[[int], Iterator[Batch]],
    learn: Callable[[AnyCourse, Batch], Mapping[str, float]],
    threads: int = 1,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Steps until the time is over, with a line of losses, a check and a checkpoint now and then.

    Args:
        course: Where it stands.
        make: As for :func:`ahead`.
        learn: One step; its losses by name.
        threads: That make batches.
        check: Looks at where the course stands, in the end too.
    """
    mean: dict[str, float] = {}
    kept = checked = course.seconds
    for batch in ahead(make, threads) if course.finished < 1.0 else ():
        for loss, value in learn(course, batch).items():
            mean[loss] = 0.97 * mean.get(loss, value) + 0.03 * value
        if course.step % SHOW_EVERY == 0:
            shown = "  ".join(f"{loss} {value:.4f}" for loss, value in mean.items())
            print(f"{course.step:6d}  {course.seconds / 60:6.1f} min  {shown}", flush=True)
        if course.seconds - checked >= CHECK_SECONDS:
            checked = course.seconds
            check()
        if course.seconds - kept >= KEEP_SECONDS:
            kept = course.seconds
            course.keep()
        if course.finished >= 1.0:
            break
    check()
    course.keep()


def device_name(device: torch.device) -> str:
    """What a person calls the device."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} processor cores, {str(inference_dtype()).removeprefix('torch.')}"
