"""The checks that every model goes through, as `harness.check_layer` does for layers.

    check_model(two_layers, data, tmp_path, exact=exact)

Each check stands alone too.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.harness import _global_states
from vae_tf.inference import Batch, as_batch, given
from vae_tf.models import LatentVariableModel
from vae_tf.objectives import ELBO, Objective
from vae_tf.saved_models.signatures import SignatureTable
from vae_tf.utils.seeds import as_seed

Make = Callable[[], LatentVariableModel]
Data = np.ndarray | Mapping[str, Any]


def check_model(
    make: Make,
    data: Callable[[int], Data],
    tmp_path: Path,
    objective: Objective | None = None,
    exact: Callable[[Data], np.ndarray] | None = None,
    discrete: tuple[str, ...] = (),
    smooth: bool = True,
) -> None:
    """Puts a model through everything that holds for all of them.

    Args:
        make: Makes the model, the same at each call, in the dtype policy of the moment.
        data: Gives n examples.
        tmp_path: pytest's.
        objective: What it is trained on. Defaults to `ELBO()`.
        exact: log p(x) of examples, where it is known, nats.
        discrete: Latents whose draws XLA makes otherwise than TensorFlow: "posterior" and "prior", or
            "prior" alone.
        smooth: Whether gradients are those of finite differences: a straight-through gradient is not.
    """
    objective = objective or ELBO()
    check_build_and_config(make, data)
    check_one_computation(make, data, objective, discrete)
    check_gradients(make, data, objective, smooth)
    check_log_weights(make, data, exact)
    check_training(make, data, objective, tmp_path)
    check_precision(make, data, objective)
    check_export(make, data, tmp_path)


def check_build_and_config(make: Make, data: Callable[[int], Data]) -> None:
    """Weights from the start, the same at each making; a copy by its config computes the same."""
    model = make()
    assert model.built
    for mine, again in zip(model.get_weights(), make().get_weights(), strict=True):
        np.testing.assert_array_equal(mine, again)
    config = keras.saving.serialize_keras_object(model)
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is type(model)
    assert copy.get_config() == model.get_config()
    copy.set_weights(model.get_weights())
    same(copy.log_prob(data(4), 5, seed=1), model.log_prob(data(4), 5, seed=1), 0)


def check_one_computation(
    make: Make, data: Callable[[int], Data], objective: Objective, discrete: tuple[str, ...]
) -> None:
    """Eager, `tf.function` and XLA give the same terms and the same samples; seeds decide."""
    model = make()
    batch = as_batch(as_floats(data(6), model))

    def terms(seed: tf.Tensor) -> list[tf.Tensor]:
        result = objective(model, batch, step=tf.constant(0), seed=seed, training=True)
        generated = model.generate(6, seed, batch.condition)
        return [result.loss, *result.terms, model.likelihood.point_estimate(generated.p_x)]

    before = _global_states()
    eager = terms(as_seed(4))
    for other in (terms(as_seed(4)), tf.function(terms)(as_seed(4))):
        for mine, theirs in zip(other, eager, strict=True):
            same(mine, theirs)
    assert any(np.any(a != b) for a, b in zip(terms(as_seed(5)), eager, strict=True))
    assert _global_states() == before, "a draw with a seed moved a global random state"
    compiled = tf.function(terms, jit_compile=True)(as_seed(4))
    for mine, theirs in zip(compiled, eager, strict=True):
        assert np.isfinite(mine).all()
        agrees = "prior" not in discrete if mine is compiled[-1] else "posterior" not in discrete
        if agrees:
            same(mine, theirs)


def check_gradients(
    make: Make, data: Callable[[int], Data], objective: Objective, smooth: bool
) -> None:
    """Every weight has a finite gradient and, in float64, that of finite differences."""
    model = with_dtype("float64", make)
    batch = as_batch(as_floats(data(5), model))
    variables, random = model.trainable_variables, np.random.default_rng(0)
    for variable in variables:  # a residual block may start at 0, where what is before has none
        variable.assign_add(0.05 * random.normal(size=variable.shape))

    def loss() -> tf.Tensor:
        result = objective(model, batch, step=tf.constant(0), seed=as_seed(6), training=True)
        return tf.reduce_mean(result.loss)

    with tf.GradientTape() as tape:
        value = loss()
    gradients = tape.gradient(value, variables)
    for variable, gradient in zip(variables, gradients, strict=True):
        assert gradient is not None, f"{variable.path} has no gradient"
        assert np.isfinite(gradient).all(), variable.path
        assert np.any(gradient != 0), f"the gradient of {variable.path} is zero"
        if not smooth:
            continue
        start, direction = variable.numpy(), random.normal(size=variable.shape)
        around = []
        for step in (1e-5, -1e-5):
            variable.assign(start + step * direction)
            around.append(float(loss()))
        variable.assign(start)
        numeric = (around[0] - around[1]) / 2e-5
        np.testing.assert_allclose(np.sum(gradient * direction), numeric, rtol=1e-4, atol=1e-6)


def check_log_weights(
    make: Make, data: Callable[[int], Data], exact: Callable[[Data], np.ndarray] | None
) -> None:
    """log w of draws is log p(x, z) - log q(z|x) of the same z given; their mean is p(x)."""
    model = with_dtype("float64", make)
    batch = as_batch(as_floats(data(4), model))
    drawn = model.infer(batch, 3, seed=as_seed(7))
    entries = next(iter(drawn.z.values())).shape[0]
    scored = model.trace(batch, given(drawn.z), entries)
    same(scored.log_joint, model.log_joint(batch)(drawn.z), 1e-9)
    same(scored.log_joint - drawn.log_q, drawn.log_weights, 1e-9)
    if exact is None:
        return
    log_p, bounds = exact(data(200)), model.log_prob(data(200), 2000, seed=8)
    gap = log_p - bounds
    assert abs(gap.numpy().mean()) < 0.02, "log p(x) is not the known one"
    assert model.elbo(data(200), seed=8).elbo.numpy().mean() < log_p.mean() + 0.02


def check_training(
    make: Make, data: Callable[[int], Data], objective: Objective, tmp_path: Path
) -> None:
    """Two trainings end with the same weights, and so does one that a kill cut in two."""
    tmp_path.mkdir(exist_ok=True)
    x, path = data(48), tmp_path / "model.keras"

    def train(model: LatentVariableModel, epochs: int, initial_epoch: int = 0) -> dict:
        done = model.fit(
            x, batch_size=16, shuffle=False, verbose=0, epochs=epochs, initial_epoch=initial_epoch
        )
        return done.history

    def fresh() -> LatentVariableModel:
        model = make()
        # That XLA computes the same is a check of its own, and compiling takes longer than this.
        model.compile(keras.optimizers.Adam(0.01), objective, jit_compile=False)
        return model

    whole, again, cut = fresh(), fresh(), fresh()
    logs = train(whole, 2)
    assert {"loss", "elbo", "log_likelihood", "kl"} <= set(logs)
    assert all(np.isfinite(values).all() for values in logs.values())
    several = {f"kl/{name}" for name in whole.nodes} if len(whole.nodes) > 1 else set()
    assert {name for name in logs if name.startswith("kl/")} == several
    if several:
        np.testing.assert_allclose(
            np.sum([logs[n] for n in several], axis=0), logs["kl"], rtol=1e-4
        )
    train(again, 2)
    train(cut, 1)
    cut.save(path)
    resumed = keras.saving.load_model(path)
    same(resumed.log_prob(data(4), 5, seed=1), cut.log_prob(data(4), 5, seed=1), 0)
    train(resumed, 2, initial_epoch=1)
    for mine, other, third in zip(
        whole.get_weights(), again.get_weights(), resumed.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(mine, other)
        np.testing.assert_array_equal(mine, third)


def check_precision(make: Make, data: Callable[[int], Data], objective: Objective) -> None:
    """Trains under mixed precision, with weights and terms in float32."""
    for policy in ("mixed_float16", "mixed_bfloat16"):
        model = with_dtype(policy, make)
        assert {weight.dtype for weight in model.trainable_weights} == {"float32"}
        model.compile(keras.optimizers.Adam(0.001), objective)
        logs = model.fit(data(32), batch_size=16, verbose=0).history
        assert all(np.isfinite(values).all() for values in logs.values())
        assert model.elbo(data(4), seed=1).elbo.dtype == tf.float32


def check_export(make: Make, data: Callable[[int], Data], tmp_path: Path) -> None:
    """Every signature is exported, which compares it with the model, and answers with B rows."""
    model = make()
    path = model.export(tmp_path / "exported", score_samples=3)
    served = tf.saved_model.load(str(path)).signatures
    table = SignatureTable(model, 3)
    inputs = table.examples(5)
    assert set(served) == set(inputs) == set(table.table())
    for name, function in served.items():
        for output in function(**{k: tf.constant(v) for k, v in inputs[name].items()}).values():
            assert output.shape[0] == 5
            assert output.dtype == tf.float32
            assert np.isfinite(output).all()


def with_dtype(policy: str, make: Make) -> LatentVariableModel:
    """The model, made under another dtype policy."""
    keras.config.set_dtype_policy(policy)
    keras.config.set_floatx("float64" if policy == "float64" else "float32")
    try:
        return make()
    finally:
        keras.config.set_dtype_policy("float32")
        keras.config.set_floatx("float32")


def as_floats(data: Data, model: LatentVariableModel) -> Any:
    """The data with its floats in the dtype of the model's weights."""
    return tf.nest.map_structure(
        lambda part: (
            tf.cast(part, model.variable_dtype)
            if np.asarray(part).dtype.kind == "f"
            else tf.constant(part)
        ),
        data if isinstance(data, Batch | Mapping) else {"x": data},
    )


def same(actual: Any, expected: Any, tolerance: float = 2e-5) -> None:
    """Equal within rounding, and finite."""
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)
