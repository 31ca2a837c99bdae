import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.examples import conditional
from tests.small_vae import binary_images, small_vae
from vae_tf import InputError
from vae_tf.inference import Batch
from vae_tf.layers import IndependentNormal
from vae_tf.models import DirectedModel
from vae_tf.objectives import ELBO
from vae_tf.training.named_parts import named_parts

X, Y, W = np.zeros([2, 3]), np.array([0, 1]), np.ones(2)
NOBODY, LABEL, CONDITION = frozenset(), frozenset({"label"}), frozenset({"condition"})


@pytest.mark.parametrize(
    ("data", "takes", "given"),
    [
        (X, NOBODY, {"x"}),
        ((X,), LABEL, {"x"}),
        ((X, Y), NOBODY, {"x"}),
        ((X, Y), LABEL, {"x", "label"}),
        ((X, Y), CONDITION, {"x", "condition"}),
        ((X, Y), LABEL | CONDITION, {"x", "label"}),
        ((X, Y, W), NOBODY, {"x", "weight"}),
        ({"x": X, "label": Y, "weight": W}, NOBODY, {"x", "weight"}),
        ({"x": X, "label": Y, "condition": Y}, CONDITION, {"x", "condition"}),
        ({"x": X, "mask": X}, NOBODY, {"x", "mask"}),
        (
            ({"x": X, "condition": X}, Y, W),
            LABEL | CONDITION,
            {"x", "condition", "label", "weight"},
        ),
    ],
)
def test_what_is_given_by_name(data, takes, given):
    batch = named_parts(data, takes)
    assert {name for name, part in batch._asdict().items() if part is not None} == given


@pytest.mark.parametrize("data", [{"y": X}, {"x": X, "labels": Y}])
def test_other_names_are_refused(data):
    with pytest.raises(InputError, match="expected 'x' and, where the model takes them"):
        named_parts(data, NOBODY)


class Recording(ELBO):
    """Keeps the batches that it is given, from an eager training."""

    seen: list[Batch]

    def call(self, model, batch, **arguments):
        self.seen.append(batch)
        return super().call(model, batch, **arguments)


def recorded(takes: tuple[str, ...] = ()) -> Recording:
    objective = Recording()
    objective.seen, objective.takes = [], takes
    return objective


@pytest.mark.parametrize("as_dataset", [False, True])
def test_a_label_reaches_who_takes_it_and_nobody_else(as_dataset):
    x, names = binary_images(40), np.array(["even", "odd"] * 20)

    def fit(model, y, weight=None):
        if as_dataset:
            parts = (x, y) if weight is None else (x, y, weight)
            return model.fit(tf.data.Dataset.from_tensor_slices(parts).batch(20), verbose=0)
        return model.fit(x, y, sample_weight=weight, batch_size=20, verbose=0)

    # With the defaults of `compile`, which have XLA loop over the steps, and text labels.
    plain = small_vae()
    plain.compile("adam")
    assert np.isfinite(fit(plain, names).history["loss"]).all()
    assert np.isfinite(fit(plain, names, np.ones(40)).history["loss"]).all()
    for takes in ((), ("label",)):
        model, objective = small_vae(), recorded(takes)
        model.compile("adam", objective, run_eagerly=True)
        fit(model, np.arange(40), np.full(40, 2.0))
        batch = objective.seen[-1]
        assert (batch.label is None) == (not takes)
        np.testing.assert_array_equal(batch.weight, np.full(20, 2.0))
    with pytest.raises(InputError, match="labels of type string, expected class numbers"):
        fit(model, names)


@pytest.mark.parametrize("as_dataset", [False, True])
def test_conditions_come_by_name(as_dataset):
    data = conditional.data(40)
    model: DirectedModel = conditional.conditional()
    objective = recorded()
    model.compile("adam", objective, run_eagerly=True)
    given = data
    if as_dataset:
        given = tf.data.Dataset.from_tensor_slices({**data, "weight": np.ones(40)}).batch(20)
    history = model.fit(given, validation_data=given, batch_size=20, verbose=0).history
    assert np.isfinite(history["val_elbo"]).all()
    assert objective.seen[0].condition["a"].shape == (20, 2)
    assert (objective.seen[0].weight is not None) == as_dataset
    predicted = model.predict(given, batch_size=20, verbose=0)
    np.testing.assert_allclose(predicted, model.reconstruct(data), rtol=1e-4, atol=1e-5)
    assert np.isfinite(model.evaluate(given, verbose=0, return_dict=True)["elbo"])


def test_a_mask_leaves_elements_out_of_the_likelihood():
    vae = small_vae(
        likelihood=IndependentNormal((4, 4, 1)),
        decoder=keras.Sequential([keras.Input((3,)), keras.layers.Dense(32)]),
    )
    x, mask = binary_images(6), np.random.default_rng(1).integers(0, 2, (6, 4, 4, 1))
    spoilt = np.where(mask, x, np.nan).astype("float32")
    found = vae.elbo({"x": spoilt, "mask": mask}, seed=2)
    trace = vae.infer(Batch(tf.where(mask == 1, x, 0.0)), seed=tf.constant([2, 0]))
    elements = trace.p_x.distribution.log_prob(x)[0]
    np.testing.assert_allclose(
        found.log_likelihood, np.sum(elements * mask, axis=(1, 2, 3)), rtol=1e-5
    )
    everything = vae.elbo({"x": x, "mask": np.ones_like(mask)}, seed=2)
    np.testing.assert_allclose(everything.elbo, vae.elbo(x, seed=2).elbo, rtol=1e-6)
    vae.compile("adam", jit_compile=False)
    history = vae.fit({"x": spoilt, "mask": mask}, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()
    with pytest.raises(InputError, match="finite values"):
        vae.elbo(spoilt)
