"""Wrong values are refused wherever they stand and whatever holds them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.models.examples import conditional
from tests.small_vae import EVENT_SHAPE, binary_images, small_vae
from vae_tf import layers
from vae_tf.training.data_checks import check_values
from vae_tf.utils.errors import InputError

X = binary_images(40)
NAN = np.where(np.arange(40).reshape(40, 1, 1, 1) == 33, np.nan, X)


class Table:
    """What is known of a DataFrame: its shape, and that NumPy reads it."""

    def __init__(self, values):
        self._values = values
        self.shape = values.shape

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self._values, dtype)

    def __len__(self):
        return len(self._values)


class Sequence(keras.utils.PyDataset):
    def __init__(self, *parts):
        super().__init__()
        self.parts = parts

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return tuple(part[10 * index : 10 * index + 10] for part in self.parts)


def batched(*parts):
    return tf.data.Dataset.from_tensor_slices(parts).batch(10)


def generator(*parts):
    return (tuple(part[i : i + 10] for part in parts) for i in range(0, 40, 10))


HOLDERS = {
    "array": lambda x: x,
    "list": lambda x: x.tolist(),
    "table": Table,
    "tensor": tf.constant,
    "dataset": batched,
    "generator": generator,
    "PyDataset": Sequence,
}


@pytest.fixture(scope="module")
def vae():
    made = small_vae()
    made.compile(jit_compile=False)
    made.fit(X, verbose=0)
    return made


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_nan_is_found_whatever_holds_it(hold, vae):
    with pytest.raises(InputError, match=r"has values from nan to nan.* \(found nan\)"):
        vae.fit(hold(NAN), verbose=0)
    with pytest.raises(InputError, match="needs finite values"):
        vae.evaluate(hold(NAN), verbose=0)
    with pytest.raises(InputError, match="finite"):
        vae.predict(hold(NAN), verbose=0)


@pytest.mark.parametrize("weight", [np.nan, -1.0])
@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_weights_are_looked_at_whatever_holds_them(hold, weight, vae):
    weights = np.ones(40)
    weights[25] = weight
    sentence = rf"has sample weights from .* \(found {weight:g}\); give 0 to leave"
    batches = hold in (batched, generator, Sequence)
    data = hold(X, np.zeros(40), weights) if batches else hold(X)
    given = {} if batches else {"sample_weight": hold(weights)}
    with pytest.raises(InputError, match=sentence):
        vae.fit(data, **given, verbose=0)


def test_every_holder_weighs(vae):
    weights = np.linspace(0, 2, 40)
    results = [
        vae.evaluate(
            hold(X), sample_weight=hold(weights), batch_size=10, return_dict=True, verbose=0
        )
        for hold in (HOLDERS["array"], HOLDERS["list"], Table)
    ]
    for hold in (batched, generator, Sequence):
        data = hold(X, np.zeros(40), weights)
        results.append(vae.evaluate(data, return_dict=True, verbose=0))
    for result in results[1:]:
        assert result == pytest.approx(results[0], rel=1e-6)
    assert vae.test_on_batch(Table(X), return_dict=True).keys() == results[0].keys()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda vae: vae.train_on_batch(NAN), "The batch has values from nan"),
        (lambda vae: vae.predict_on_batch(NAN), "x has values from nan"),
        (lambda vae: vae.fit(X, sample_weight=np.ones(39)), "40 examples of x and 39 of weight"),
        (
            lambda vae: vae.fit(X, sample_weight=np.ones((40, 2))),
            r"shape \(40, 2\), expected \(40,\)",
        ),
        (lambda vae: vae.fit(X, np.zeros(40), class_weight={0: 2.0}), "give sample_weight"),
        (lambda vae: vae.fit(X.astype(object)), "x of type object, expected numbers"),
        (lambda vae: vae.fit([[1.0], [1.0, 2.0]]), "NumPy cannot read as an array"),
        (lambda vae: vae.fit(tf.sparse.from_dense(X)), "SparseTensor, expected a dense array"),
        (lambda vae: vae.fit({"x": X, "mask": X * np.nan}), "masks from nan"),
        (
            lambda vae: vae.fit(X, validation_data=(X, None, -np.ones(40))),
            "validation data has sample",
        ),
    ],
)
def test_other_parts_get_a_sentence(call, sentence, vae):
    with pytest.raises(InputError, match=sentence):
        call(vae)


@pytest.mark.parametrize("as_dataset", [False, True])
def test_conditions_are_looked_at(as_dataset):
    model, data = conditional.conditional(), conditional.data(40)
    model.compile(jit_compile=False)
    data["condition"] = {**data["condition"], "a": np.full([40, 2], np.inf, "float32")}
    given = tf.data.Dataset.from_tensor_slices(data).batch(20) if as_dataset else data
    with pytest.raises(InputError, match="has conditions from inf to inf, expected finite"):
        model.fit(given, verbose=0)


GREY = np.arange(256) / 255


@pytest.mark.parametrize(
    ("layer", "inside", "outside"),
    [
        (layers.IndependentPoisson(3), [0, 1, 16777217], [0, 0.5, 1]),
        (layers.NegativeBinomial(3), [0, 1, 1e6], [1, 2, 2.25]),
        (layers.Categorical(3, 3), [0, 1, 2], [0, 1.5, 2]),
        (layers.OneHotCategorical(3), [0, 0, 1], [1, 1, 1]),
        (layers.OneHotCategorical(3), [1, 0, 0], [0.5, 0.5, 0]),
        (layers.DiscretizedLogistic(3), [0, 7 / 255, 1], [0, 0.5, 1]),
        (layers.DiscretizedLogistic(3, levels=16), [0, 7 / 15, 1], [0, 7 / 255, 1]),
        (layers.DiscretizedLogisticMixture(2, 3), [0, 7 / 255, 1], [0, 0.5, 1]),
        (layers.CategoricalMixtureOfOneHotCategorical(3, 2), [0, 0, 1], [1, 1, 1]),
        (layers.IndependentBernoulli(3), [0, 0.5, 1], [0, 0.5, 1.5]),
        (layers.IndependentNormal(3), [-1e30, 0.5, 1], [0, np.inf, 1]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.Layer) else "",
)
def test_a_support_is_a_set(layer, inside, outside):
    for dtype in ("float32", "float64"):
        check_values(np.array([inside] * 2, dtype), layer, "x", scored=True)
        with pytest.raises(InputError, match=r"needs .*\(found "):
            check_values(np.array([inside, outside], dtype), layer, "x", scored=True)
    compiled = tf.function(layer.in_support, jit_compile=True)
    assert np.all(compiled(tf.constant([inside], tf.float32)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_eight_bits_are_on_the_grid_in_every_dtype(dtype):
    check_values(GREY.astype(dtype), layers.DiscretizedLogistic(), "x", scored=True)
    with pytest.raises(InputError, match="needs finite values k/255"):
        check_values(
            (GREY * 255 / 256).astype(dtype), layers.DiscretizedLogistic(), "x", scored=True
        )


def test_data_are_scored_on_the_grid_and_means_are_read():
    parts = [keras.Input((3,)), keras.layers.Dense(32)]
    vae = small_vae(
        likelihood=layers.DiscretizedLogistic(EVENT_SHAPE), decoder=keras.Sequential(parts)
    )
    vae.compile(jit_compile=False)
    means = vae.sample(8, seed=0)
    for score in (vae.fit, vae.evaluate, vae.elbo, vae.log_prob):
        with pytest.raises(InputError, match="needs finite values k/255"):
            score(means)
    assert np.isfinite(vae.encode(means).mean()).all()
    np.testing.assert_allclose(vae.predict(means, verbose=0), vae.reconstruct(means), atol=1e-6)
    on_grid = np.round(means * 255) / np.float32(255)
    assert np.isfinite(vae.fit(on_grid, verbose=0).history["loss"]).all()


def test_half_precision_neither_blames_finite_data_nor_predicts_nan():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        parts = [keras.Input((3,)), keras.layers.Dense(32)]
        normal = layers.IndependentNormal(EVENT_SHAPE)
        vae = small_vae(likelihood=normal, decoder=keras.Sequential(parts))
    finally:
        keras.config.set_dtype_policy("float32")
    vae.compile(jit_compile=False)
    sentence = r"from 0 to 100000, but the networks compute in float16, which ends at 65504"
    for read in (vae.predict, vae.reconstruct, vae.fit, vae.encode, vae.predict_on_batch, vae):
        with pytest.raises(InputError, match=sentence):
            read(X * 1e5)
    small = vae.predict(X * 100, verbose=0)
    np.testing.assert_array_equal(small, vae.reconstruct(X * 100))
    vae.encoder.layers[-1].bias.assign(tf.fill([6], 10.0))
    vae.decoder.layers[-1].kernel.assign(tf.fill([3, 32], 6e4))
    for read in (vae.predict, vae.reconstruct, vae.predict_on_batch):
        with pytest.raises(InputError, match=r"not finite: .* or the networks overflow in float16"):
            read(X)
    with pytest.raises(InputError, match="compute in float32, which ends at 3"):
        small_vae(likelihood=normal, decoder=keras.Sequential(parts)).encode(
            X.astype("float64") * 1e200
        )
