import keras
import numpy as np
import pytest

from tests.small_vae import binary_images, small_vae

X = binary_images(64)
# A learning rate that Keras' callbacks can reduce, and that leaves the weights as they are.
STILL = 2.0**-64


class Walk(keras.callbacks.Callback):
    def __init__(self, steps):
        super().__init__()
        self.steps = steps

    def on_epoch_begin(self, epoch, logs=None):
        self.model.set_weights(self.steps[epoch])


# A training whose results are known: each epoch has the "good" weights or the "bad" ones.
class Course:
    def __init__(self):
        self.model = small_vae()
        self.weights = {"bad": self.model.get_weights()}
        self.model.compile(keras.optimizers.Adam(0.01), "iwae", jit_compile=False)
        self.model.fit(X, epochs=60, batch_size=32, verbose=0)
        self.weights["good"] = self.model.get_weights()
        self.model.compile(keras.optimizers.SGD(STILL), "iwae", jit_compile=False)

    def walk(self, names, *callbacks):
        self.model.optimizer.learning_rate = STILL
        steps = Walk([self.weights[name] for name in names])
        log = self.model.fit(
            X,
            validation_data=X,
            epochs=len(names),
            batch_size=32,
            callbacks=[steps, list(callbacks)],
            verbose=0,
        )
        return log.history

    def weights_of(self, model):
        own, there = model.get_weights()[1], {name: w[1] for name, w in self.weights.items()}
        (name,) = [name for name in there if np.allclose(own, there[name], atol=1e-6)]
        return name


@pytest.fixture(scope="module")
def course():
    return Course()


# Monitored -> which weights are better. A VAE that has learned nothing has a small KL.
BETTER = {
    "elbo": "good",
    "loss": "good",
    "val_elbo": "good",
    "val_loss": "good",
    "val_iwae_bound": "good",
    "val_log_likelihood": "good",
    "val_kl": "bad",
}
EARLY = keras.callbacks.EarlyStopping
CHECKPOINT = keras.callbacks.ModelCheckpoint
PLATEAU = keras.callbacks.ReduceLROnPlateau


@pytest.mark.parametrize("monitor", BETTER)
def test_the_direction_of_what_is_logged(monitor, course, tmp_path):
    better = BETTER[monitor]
    worse = {"good": "bad", "bad": "good"}[better]
    best = tmp_path / "best.weights.h5"
    restore = EARLY(monitor, patience=9, restore_best_weights=True)
    keep = CHECKPOINT(best, monitor, save_best_only=True, save_weights_only=True)
    reduce = PLATEAU(monitor, 0.5, patience=1, min_delta=0)
    log = course.walk([worse, better, worse], restore, keep, reduce)
    rises = log[monitor][1] > log[monitor][0]
    assert rises == (monitor not in ("loss", "val_loss", "val_kl"))
    assert log["learning_rate"] == [STILL] * 3
    assert float(course.model.optimizer.learning_rate) == STILL / 2
    assert course.weights_of(course.model) == better
    course.model.load_weights(best)
    assert course.weights_of(course.model) == better

    log = course.walk([worse, better, worse, worse], EARLY(monitor, patience=1))
    assert len(log[monitor]) == 3


def test_a_mode_of_the_user_stays(course, tmp_path):
    best = tmp_path / "best.keras"
    restore = EARLY("val_elbo", patience=9, mode="min", restore_best_weights=True)
    keep = CHECKPOINT(best, "val_loss", mode="max", save_best_only=True)
    reduce = PLATEAU("val_elbo", 0.5, patience=1, mode="min", min_delta=0)
    course.walk(["good", "bad"], restore, keep, reduce)
    assert float(course.model.optimizer.learning_rate) == STILL
    assert course.weights_of(course.model) == "bad"
    assert course.weights_of(keras.saving.load_model(best)) == "bad"


def test_a_name_that_is_not_logged_by_the_model_is_left_to_keras(course):
    with pytest.raises(ValueError, match="automatically determine"):
        course.walk(["good", "bad"], EARLY("val_accuracy"))
