"""Keras' fit, evaluate and predict with checked data and exact steps."""

from types import GeneratorType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vae_tf.layers.base import DistributionLayer
from vae_tf.objectives.objective import Objective
from vae_tf.training.callback_modes import set_modes
from vae_tf.training.data_checks import checked, checked_dataset, input_errors
from vae_tf.training.exact_steps import fitting_execution, take_exact_steps
from vae_tf.training.kl_warm_up import warn_of_unfinished_warm_up
from vae_tf.training.values import Rules
from vae_tf.utils.errors import InputError

# Keras' adapters of data that are looked at before they reach Keras.
_LOOKED_AT = ("ArrayDataAdapter", "TFDatasetAdapter")


class FittedModel(keras.Model):
    """Base of `ObjectiveTrainer`: checks data, and has Keras make the steps that were asked for.

    Args:
        **kwargs: For `keras.Model`.
    """

    likelihood: DistributionLayer
    predict_function: Any
    steps_per_execution: int

    # Of what every model logs, where more is better.
    _higher = ("elbo", "log_likelihood")

    # Which of "condition" and "label" the model needs beside x.
    takes: tuple[str, ...] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # The parts cast their inputs themselves. Cast here, data would be half precision everywhere.
        self.autocast = False
        self.objective: Objective | None = None

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains the model; takes the arguments of `keras.Model.fit`.

        `x` is an array `[N, *event]`, or a dataset of `x`, `(x,)`, `(x, y)` or `(x, y,
        sample_weight)`; instead of x there may be a dict `{"x": ..., "condition": ..., "label": ...,
        "weight": ..., "mask": ...}`. y is dropped unless the model or the objective takes a label or a
        condition; see `vae_tf.training.named_parts`. Sample weights are honoured. `EarlyStopping`,
        `ModelCheckpoint` and `ReduceLROnPlateau` need no `mode` for what is logged here.

        Returns:
            `keras.callbacks.History`: `loss`, `elbo`, `log_likelihood`, `kl` and what the objective
            logs, in nats per example, with `val_` for those of `validation_data`. A model of several
            latents logs the KL of each as `kl/NAME`.

        Raises:
            InputError: for empty data, a wrong shape, NaN, values outside the likelihood's support, or
                data without a label or condition that is taken.
        """
        if kwargs.get("class_weight") is not None and "label" not in self._taken:
            raise InputError(
                "class_weight needs labels, and neither the model nor the objective takes them; give "
                "sample_weight, the weight of each example."
            )
        x, y = self._checked("The training data", x, y, kwargs)
        validation = kwargs.get("validation_data")
        if validation is not None:
            is_tuple = isinstance(validation, list | tuple)
            parts = self._examined(
                tuple(validation) if is_tuple else (validation,), "The validation data"
            )
            kwargs["validation_data"] = parts if is_tuple else parts[0]
        higher = {*self._higher, *self._objective().higher_is_better}
        set_modes(kwargs.get("callbacks"), {metric.name for metric in self.metrics}, higher)
        if isinstance(x, tf.data.Dataset | GeneratorType):
            kwargs.setdefault("shuffle", False)  # Keras warns of True, its own default
        warn_of_unfinished_warm_up(self, x, batch_size=batch_size, epochs=epochs, **kwargs)
        with input_errors():
            history = super().fit(x, y, batch_size=batch_size, epochs=epochs, **kwargs)
        if history.epoch and not history.history:
            raise InputError("The training data gave no batch; give a dataset with at least one.")
        return history

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> Any:
        """Returns the metrics on data; takes the arguments of `keras.Model.evaluate`.

        The figures are nats per example. Each call has the same draws.
        """
        self._objective()
        if not kwargs.get("_use_cached_eval_dataset"):  # which `fit` has checked
            x, y = self._checked("The test data", x, y, kwargs)
        with input_errors():
            return super().evaluate(x, y, batch_size=batch_size, **kwargs)

    def predict(
        self, x: Any, batch_size: int | None = None, steps: int | None = None, **kwargs: Any
    ) -> np.ndarray:
        """`reconstruct` at the posterior mean; takes the arguments of `keras.Model.predict`.

        Raises:
            InputError: for a wrong shape or wrong values, and where what is predicted is not finite.
        """
        (x,) = self._examined((x,), "x", frozenset(self.takes), scored=False)
        most = self.steps_per_execution
        # Made for executions of `most` batches, it takes fewer; made for one, it takes only one.
        self.make_predict_function()
        self.steps_per_execution = fitting_execution(steps, most)
        try:
            with input_errors():
                predicted = super().predict(x, batch_size=batch_size, steps=steps, **kwargs)
        finally:
            self.steps_per_execution = most
        return self._finite(predicted)

    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any
    ) -> Any:
        """One training step; takes the arguments of `keras.Model.train_on_batch`."""
        given = {"sample_weight": sample_weight}
        x, y = self._checked("The batch", x, y, given)
        return super().train_on_batch(x, y, **given, **kwargs)

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kwargs: Any) -> Any:
        """The metrics on one batch; takes the arguments of `keras.Model.test_on_batch`."""
        given = {"sample_weight": sample_weight}
        x, y = self._checked("The batch", x, y, given)
        return super().test_on_batch(x, y, **given, **kwargs)

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """`predict` on one batch."""
        (x,) = self._examined((x,), "x", frozenset(self.takes), scored=False)
        return self._finite(super().predict_on_batch(x))

    def _objective(self) -> Objective:
        if self.objective is None:
            raise InputError("The model is not compiled; call vae.compile(optimizer='adam') first.")
        return self.objective

    @property
    def _taken(self) -> frozenset[str]:
        """Which of "condition" and "label" the model or the objective takes."""
        return frozenset({*self.takes, *self._objective().takes})

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        # The one place where `fit` and `evaluate` of Keras hand over their iterator.
        if iterator is not None:
            take_exact_steps(iterator)
            self._check_as_read(iterator)
        super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)

    def _check_as_read(self, iterator: Any) -> None:
        """Has the batches of generators and their like checked, which only Keras makes a dataset of."""
        dataset = iterator._distributed_dataset
        if type(iterator.data_adapter).__name__ in _LOOKED_AT or not isinstance(
            dataset, tf.data.Dataset
        ):
            return
        if "_looked_at" not in vars(iterator):
            iterator._looked_at = True
            rules = Rules(self.likelihood, "The data", self._taken, True, self.compute_dtype)
            iterator._distributed_dataset = checked_dataset(dataset, rules)

    def _checked(self, what: str, x: Any, y: Any, others: dict[str, Any]) -> tuple[Any, Any]:
        """X and y, checked; the sample weight is replaced in `others`."""
        weight = others.get("sample_weight")
        x, y, weight = self._examined((x, y, weight), what)
        if "sample_weight" in others:
            others["sample_weight"] = weight
        return x, y

    def _examined(
        self,
        data: tuple[Any, ...],
        what: str,
        takes: frozenset[str] | None = None,
        scored: bool = True,
    ) -> tuple[Any, ...]:
        takes = self._taken if takes is None else takes
        dtype = self.compute_dtype
        return checked(data, self.likelihood, what, takes, scored=scored, dtype=dtype)

    def _finite(self, predicted: Any) -> Any:
        if all(np.isfinite(part).all() for part in keras.tree.flatten(predicted)):
            return predicted
        raise InputError(
            "What the model predicts is not finite: its weights or the data are not, or the networks "
            f"overflow in {self.compute_dtype}; look at them, or choose another dtype policy."
        )
