"""Networks of surfaces for tests: tiny ones that have learned nothing, with their cards."""

import torch

from core.models import save_weights
from core.surfaces.kinds import LANDFORMS
from tests.models.cards import FACTS


def tiny_landforms(folder, **extra):
    """Weights of a tiny U-Net, with their card."""
    from core.models.unet import Sizes
    from core.surfaces import craters, segment
    from core.surfaces.landform_network import LandformNetwork

    torch.manual_seed(0)
    network = LandformNetwork(Sizes((16, 16, 16, 16), (1, 1, 1, 1)))
    facts = {**FACTS, "task": "surfaces", "labels": LANDFORMS, "extra": extra}
    for name in (craters.WEIGHTS, segment.WEIGHTS):
        save_weights(name, network.state_dict(), facts, folder=folder)


def tiny_classifier(folder, **extra):
    """Weights of a classifier, with their card."""
    from core.models.efficientnet import EfficientNetLite0
    from core.surfaces.classify import WEIGHTS

    torch.manual_seed(0)
    network = EfficientNetLite0(len(LANDFORMS))
    facts = {**FACTS, "task": "surfaces", "labels": LANDFORMS, "extra": extra}
    save_weights(WEIGHTS, network.state_dict(), facts, folder=folder)
