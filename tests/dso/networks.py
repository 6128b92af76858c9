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
