import keras
import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.small_vae import binary_images, small_vae
from vae_tf.runs.figures.callback import PictureCallback
from vae_tf.utils.errors import InputError


def test_frames_and_animations_in_the_folder_and_in_tensorboard(tmp_path):
    vae = small_vae(latent_dim=2)
    vae.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    x = binary_images(40)
    events = tmp_path / "tensorboard"
    draw = PictureCallback(tmp_path / "epochs", x[:10], every=2, tensorboard=events)
    vae.fit(x, epochs=4, verbose=0, callbacks=[draw])
    names = ["latent_scatter", "manifold", "reconstructions", "samples"]
    for name in names:
        frames = sorted((tmp_path / "epochs" / name).iterdir())
        assert [frame.name for frame in frames] == ["epoch-0002.png", "epoch-0004.png"]
        assert frames[0].read_bytes() != frames[1].read_bytes()
        with Image.open(tmp_path / "epochs" / f"{name}.gif") as animation:
            assert animation.n_frames == 2
    found = EventAccumulator(str(events)).Reload()
    assert sorted(found.Tags()["tensors"]) == names
    assert [event.step for event in found.Tensors("samples")] == [2, 4]

    # After a resume the animation has the epochs before it, too.
    again = PictureCallback(tmp_path / "epochs", x[:10], every=2)
    vae.fit(x, epochs=6, initial_epoch=4, verbose=0, callbacks=[again])
    with Image.open(tmp_path / "epochs" / "samples.gif") as animation:
        assert animation.n_frames == 3


def test_bad_arguments(tmp_path):
    with pytest.raises(InputError, match="at least one example"):
        PictureCallback(tmp_path, np.zeros((0, 4, 4, 1)))
    with pytest.raises(InputError, match="1 or 3"):
        PictureCallback(tmp_path, np.zeros((2, 4, 4, 2)))
    with pytest.raises(InputError, match="every"):
        PictureCallback(tmp_path, np.zeros((2, 4)), every=0)
