"""Networks for tests: one that boxes what is bright, and an untrained YOLO with its card."""

import torch
from scipy import ndimage
from torch import nn

from core.models import adopt_weights
from tests.models.cards import FACTS


class BoxesBlobs(nn.Module):
    """Answers as the detector does: a box of class 1 around each bright connected blob, and some noise."""

    def forward(self, given):
        grey = given[0].mean(0).numpy()
        columns = [[5.0, 5.0, 4.0, 4.0, 0.0, 0.001, 0.0]]
        for rows, cols in ndimage.find_objects(ndimage.label(grey > 0.6)[0]):
            middle = [(cols.start + cols.stop) / 2, (rows.start + rows.stop) / 2]
            columns.append([*middle, cols.stop - cols.start, rows.stop - rows.start, 0.1, 0.9, 0.2])
            columns.append([middle[0] + 0.5, *columns[-1][1:5], 0.6, 0.1])  # as anchors nearby do
        return torch.tensor(columns).T[None], {}


def untrained_yolo(folder, **extra):
    """Write the weights and card of a YOLO26n that has learned nothing into a folder."""
    from core.dso.library import import_ultralytics

    import_ultralytics()
    from ultralytics.nn.tasks import DetectionModel

    torch.manual_seed(0)
    network = DetectionModel("yolo26n.yaml", nc=3, verbose=False).half()
    source = folder / "source.pt"
    torch.save({"model": network, "train_args": {}}, source)
    facts = {**FACTS, "task": "dso", "labels": ("galaxy", "nebula", "cluster"), "extra": extra}
    adopt_weights("dso_yolo", source, facts, precision="float16", folder=folder)


class SeesBrightness(nn.Module):
    """Answers as the classifier does: anything and a nebula where part of a view is bright and wide."""

    def __init__(self):
        super().__init__()
        self.layer4 = nn.ModuleList([nn.Identity(), nn.Identity(), nn.Module()])
        self.layer4[2].relu = nn.ReLU()

    def forward(self, views):
        wide = nn.functional.avg_pool2d(views.mean(1, keepdim=True), 7, 7)
        strength = self.layer4[2].relu(wide).sum(dim=(1, 2, 3))
        return torch.stack([strength - 4.0, -4.0 - strength, strength - 4.0, -4.0 + 0.0 * strength], dim=1)


def untrained_classifier(folder, **extra):
    """Write the weights and card of a classifier that has learned nothing into a folder."""
    from core.dso.classifier import WEIGHTS, build
    from core.models import save_weights

    torch.manual_seed(0)
    facts = {**FACTS, "task": "dso", "labels": ("galaxy", "nebula", "cluster"), "extra": extra}
    save_weights(WEIGHTS, build().state_dict(), facts, precision="int8", folder=folder)


def card_of_classifier(folder, **extra):
    """Write a card with weights of one number: for tests that put a network of their own in its place."""
    from core.dso.classifier import WEIGHTS
    from core.models import save_weights

    facts = {**FACTS, "task": "dso", "labels": ("galaxy", "nebula", "cluster"), "extra": extra}
    save_weights(WEIGHTS, {"nothing": torch.zeros(1)}, facts, folder=folder)
