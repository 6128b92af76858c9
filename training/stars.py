"""Train the network of ``stars.hybrid``.

``python -m training.stars --data .cache/stars --minutes 90`` draws the fields that are not there yet, trains
(from the last checkpoint when there is one), and writes ``weights/stars_hybrid.safetensors`` and its card.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from core.models.card import Score, TrainingData
from core.models.inference import LockedNetwork
from core.models.weights import save_weights
from core.scoring.matching import match_points
from core.stars.hybrid_network import Dense, HybridNetwork, Points, candidates
from core.stars.hybrid_search import search
from training.course import Course, device_name, train
from training.options import started
from training.star_scenes import Field, draw_bank, load_field
from training.star_targets import WANTED_SNR, Sample, assign, draw_sample

VALIDATION_SEED = 10_000_000
LEAST_LOGIT = -4.5
"""Candidates below are not looked at in training."""


def pixel_loss(dense: Dense, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Focal loss of the heat map (Zhou et al. 2019, arXiv:1904.07850) and the error of the offsets."""
    log_p, log_q = F.logsigmoid(dense.logit), F.logsigmoid(-dense.logit)
    p = log_p.exp()
    star = batch["heat"] >= 1.0
    n = star.sum().clamp(min=8)
    hit = -(log_p * (1.0 - p) ** 2)[star].sum()
    false = -(log_q * p**2 * (1.0 - batch["heat"]) ** 4 * batch["counts"])[~star].sum()
    weight = batch["offset_weight"]
    error = F.smooth_l1_loss(dense.offset, batch["offset"], reduction="none", beta=0.05).sum(1)
    return (hit + false) / n, (error * weight).sum() / weight.sum().clamp(min=1.0)


def point_loss(points: Points, valid: Tensor, stars: Sequence[np.ndarray]) -> dict[str, Tensor]:
    """Losses of the candidates that are stars, too faint to be asked for (ignored), or nothing."""
    x, y = points.x.detach().cpu().numpy(), points.y.detach().cpu().numpy()
    label, weight = np.zeros(x.shape, np.float32), np.ones(x.shape, np.float32)
    truth = np.zeros((*x.shape, 4), np.float32)
    for i, known in enumerate(stars):
        n = int(valid[i].sum())
        owner = assign(known, x[i, :n], y[i, :n])
        own = owner >= 0
        truth[i, :n][own] = known[owner[own]]
        label[i, :n] = own
        weight[i, :n][own & (truth[i, :n, 2] < WANTED_SNR)] = 0.0
    device = points.logit.device
    y_true, t = torch.from_numpy(label).to(device), torch.from_numpy(truth).to(device)
    w = torch.from_numpy(weight).to(device) * valid
    bce = F.binary_cross_entropy_with_logits(points.logit, y_true, reduction="none")
    mine = y_true * w
    n = mine.sum().clamp(min=1.0)
    precise = t[..., 2].clamp(1.0, 40.0) / 10.0 * mine
    shift = F.smooth_l1_loss(points.x, t[..., 0], reduction="none", beta=0.05)
    shift = shift + F.smooth_l1_loss(points.y, t[..., 1], reduction="none", beta=0.05)
    snr = F.smooth_l1_loss(points.log_snr, t[..., 2].clamp(min=0.1).log(), reduction="none", beta=0.2)
    flux = F.smooth_l1_loss(points.log_flux, t[..., 3].clamp(min=0.1).log(), reduction="none", beta=0.2)
    return {
        "points": (bce * w).sum() / w.sum().clamp(min=1.0),
        "place": (shift * precise).sum() / precise.sum().clamp(min=1.0),
        "snr": (snr * mine).sum() / n,
        "flux": (flux * mine).sum() / n,
    }


WEIGHTS_OF_LOSSES = {"pixels": 1.0, "offset": 1.0, "points": 3.0, "place": 1.0, "snr": 0.2, "flux": 0.2}


def batches(fields: Sequence[Field], size: int, side: int, seed: int) -> Iterator[list[Sample]]:
    """Endless batches of crops."""
    rng = np.random.default_rng(seed)
    while True:
        yield [draw_sample(rng, fields[int(rng.integers(len(fields)))], side) for _ in range(size)]


def as_tensors(samples: Sequence[Sample], device: torch.device) -> dict[str, Tensor]:
    """The pixels' part of a batch, ``(B, ...)`` each."""
    names = ("image", "heat", "counts", "offset", "offset_weight", "fwhm_px")
    return {
        name: torch.from_numpy(np.stack([getattr(s, name) for s in samples])).to(device) for name in names
    }


def best_f1(network: HybridNetwork, fields: Sequence[Field], snr_cut: float) -> tuple[float, float]:
    """Greatest F1 over thresholds on whole fields, and its threshold; fainter stars count neither way."""
    held = LockedNetwork(network)
    probability, is_hit, is_false, n_wanted = [], [], [], 0
    for field in fields:
        found = search(held, field.image.astype(np.float32), field.fwhm_px, least_probability=0.02).table
        order = np.argsort(-found["probability"].to_numpy())
        found = found.iloc[order]
        matches = match_points(field.xy.astype(float), found[["x", "y"]].to_numpy(float), 2.0)
        wanted = field.snr >= snr_cut
        n_wanted += int(wanted.sum())
        hit, false = np.zeros(len(found), bool), np.ones(len(found), bool)
        hit[matches.found_index] = wanted[matches.truth_index]
        false[matches.found_index] = False
        probability.append(found["probability"].to_numpy())
        is_hit.append(hit)
        is_false.append(false)
    p, hits, falses = (np.concatenate(part) for part in (probability, is_hit, is_false))
    if not len(p):
        return 0.0, 1.0
    order = np.argsort(-p)
    n_hit, n_false = np.cumsum(hits[order]), np.cumsum(falses[order])
    f1 = 2 * n_hit / (n_wanted + n_hit + n_false)
    best = int(f1.argmax())
    return float(f1[best]), float(p[order][best])


class Trainer(Course[HybridNetwork]):
    """The network on its course."""

    def take_weights(self, state: dict[str, Tensor]) -> None:
        """Go on with these weights; views of the frame that their training did not have count for nothing."""
        old, new = state["encoder.stem.0.weight"], self.network.encoder.stem[0].weight
        state["encoder.stem.0.weight"] = F.pad(old, (0, 0, 0, 0, 0, new.shape[1] - old.shape[1]))
        super().take_weights(state)


def learn(trainer: Trainer, samples: Sequence[Sample]) -> dict[str, float]:
    """One step; the losses."""

    def losses() -> dict[str, Tensor]:
        batch = as_tensors(samples, trainer.device)
        with trainer.autocast():
            dense = trainer.network.dense(batch["image"], batch["fwhm_px"])
        row, column, valid = candidates(dense.logit.detach(), LEAST_LOGIT, 256)
        points = trainer.network.points(dense, row, column, valid)
        pixels, offset = pixel_loss(dense, batch)
        of_points = point_loss(points, valid, [sample.stars for sample in samples])
        return {"pixels": pixels, "offset": offset, **of_points}

    return trainer.learn(losses, WEIGHTS_OF_LOSSES)


def main() -> None:
    """Draw, train, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".cache/stars"), help="ignored folder to work in")
    parser.add_argument("--fields", type=int, default=4000, help="simulated fields to train on")
    parser.add_argument("--validation", type=int, default=40, help="fields to choose thresholds on")
    parser.add_argument("--minutes", type=float, default=60.0, help="time in steps, over all runs")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--side", type=int, default=192)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--begin-from", type=Path, help="checkpoint of another training to begin from")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.set_defaults(resume=True)
    options = parser.parse_args()
    torch.set_flush_denormal(True)
    bank = options.data / "bank"
    check_files = draw_bank(
        bank, range(VALIDATION_SEED, VALIDATION_SEED + options.validation), options.workers
    )
    files = draw_bank(bank, range(options.fields), options.workers)
    fields, check = [load_field(path) for path in files], [load_field(path) for path in check_files]
    torch.manual_seed(0)
    trainer = Trainer(
        HybridNetwork(),
        options.data / "checkpoint.pt",
        minutes=options.minutes,
        rate=options.rate,
        device=torch.device(options.device),
    )
    begun = started(trainer, options)

    def show() -> None:
        scores = {cut: best_f1(trainer.average, check[:16], cut) for cut in (3.0, 5.0)}
        print("        F1", {cut: tuple(round(v, 4) for v in s) for cut, s in scores.items()}, flush=True)

    train(trainer, lambda _: batches(fields, options.batch, options.side, begun), learn, check=show)
    save(trainer, check, options)


def save(trainer: Trainer, check: Sequence[Field], options: argparse.Namespace) -> None:
    """Write the weights and their card, with the validation's scores."""
    network = trainer.average
    scores = {f"validation F1 at SNR ≥ {cut:g}": best_f1(network, check, cut)[0] for cut in (3.0, 5.0, 10.0)}
    command = (
        f"python -m training.stars --fields {options.fields} --minutes {options.minutes:g} "
        f"--batch {options.batch} --side {options.side} --rate {options.rate:g}"
    )
    if trainer.minutes_before:
        command += " --begin-from EARLIER_CHECKPOINT"
    card = save_weights(
        "stars_hybrid",
        network.state_dict(),
        {
            "title": "Hybrid network",
            "architecture": (
                "ResNet-34 layout (3, 4, 6, 3 basic blocks; {} channels at strides 2, 4, 8, 16), joined to "
                "{} channels at stride 2; heat map and offsets; {} layers of attention of {} heads between "
                "each candidate and its {} nearest"
            ).format(
                ", ".join(map(str, network.widths.encoder)),
                network.widths.dense,
                network.widths.layers,
                network.widths.heads,
                network.widths.neighbours,
            ),
            "n_parameters": sum(p.numel() for p in network.parameters()),
            "task": "stars",
            "labels": ("star",),
            "training_data": (
                TrainingData(
                    f"{options.fields} simulated fields of 512² (training/star_scenes.py)",
                    "AGPL-3.0-only",
                    "training",
                ),
                TrainingData(f"{options.validation} further simulated fields", "AGPL-3.0-only", "validation"),
            ),
            "scores": {name: Score(round(value, 4), command) for name, value in scores.items()},
            "command": command,
            "seed": 0,
            "device": device_name(trainer.device),
            "minutes": round(trainer.seconds / 60.0 + trainer.minutes_before, 1),
            "limits": (
                "Trained on simulated frames only; real detectors have faults it has never seen.",
                "Two bright stars nearer than about 1.5 widths are often found as one star between them.",
                "Small galaxies that look like stars count as stars, and knots in galaxies and nebulae may.",
                "Its probability is that of the training's mix of fields, which is not that of every sky.",
            ),
            "licence": "AGPL-3.0-only",
            "extra": {
                "steps": trainer.step,
                "batch": options.batch,
                "side_px": options.side,
                "minutes of an earlier training it began from": round(trainer.minutes_before, 1),
            },
        },
    )
    print(f"wrote {card.file}: {card.bytes / 1e6:.1f} MB", scores)


if __name__ == "__main__":
    main()
