"""The steps of a training: compile, train_step, test_step."""

from typing import Any

import keras
import tensorflow as tf

from vae_tf import objectives
from vae_tf.inference.batch import Batch
from vae_tf.objectives.objective import Objective, ObjectiveTerms
from vae_tf.training.data_checks import check_built
from vae_tf.training.fitted_model import FittedModel
from vae_tf.training.layer_draws import seed_layers
from vae_tf.training.metrics import ElboMetrics
from vae_tf.training.named_parts import named_parts
from vae_tf.training.xla_loop import can_be_looped, looped, xla_is_faster
from vae_tf.utils.seeds import as_seed, fold_in, fresh_seed

_TRAIN_STREAM, _TEST_STREAM, _TRAIN_LAYERS, _TEST_LAYERS = range(4)


class ObjectiveTrainer(FittedModel):
    """Base of the models that are trained on an objective of `vae_tf.objectives`.

    A subclass is a `vae_tf.inference.Traceable` and sets `likelihood`.

    Args:
        seed: int. Every draw of `fit` and `evaluate` is a function of it and of the step. Defaults to
            a fresh one.
        **kwargs: For `keras.Model`.
    """

    train_function: Any

    def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Kept in the config as a number: resuming needs the seed that was drawn.
        self.seed = fresh_seed() if seed is None else seed
        self.step = self.add_weight(
            name="step",
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )
        self._elbo_metrics = ElboMetrics(())

    def compile(
        self,
        optimizer: Any = "adam",
        objective: str | Objective | None = None,
        *,
        steps_per_execution: int | str = "auto",
        jit_compile: bool | str = "auto",
        run_eagerly: bool = False,
        auto_scale_loss: bool = True,
    ) -> None:
        """Prepares training. The defaults are those measured to be fast (`benchmarks/training.py`).

        Args:
            optimizer: As in Keras. Defaults to "adam" (learning rate 0.001).
            objective: `Objective` or its name. Defaults to `ELBO()`.
            steps_per_execution: int or "auto". Batches between two looks at the callbacks. "auto"
                is 16, or 1 on several replicas, where Keras cannot loop.
            jit_compile: bool or "auto". XLA. "auto" follows Keras on a GPU; on a CPU it compiles
                dense networks in float32, and leaves convolutions and half precision alone, which
                XLA slows there.
            run_eagerly: bool. For debugging. Defaults to False.
            auto_scale_loss: bool. Loss scaling under mixed_float16. Defaults to True.

        Raises:
            InputError: for an unknown objective, one that the model does not fit, or a layer without
                weights.
        """
        chosen = objectives.get(objective)
        check_built(self)
        chosen.check(self)
        self._compile_arguments = {
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
            "run_eagerly": run_eagerly,
            "auto_scale_loss": auto_scale_loss,
        }
        if steps_per_execution == "auto":
            steps_per_execution = 16 if self.distribute_strategy.num_replicas_in_sync == 1 else 1
        if jit_compile == "auto" and not tf.config.list_physical_devices("GPU"):
            jit_compile = not run_eagerly and xla_is_faster(self)
        super().compile(
            optimizer=optimizer,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            auto_scale_loss=auto_scale_loss,
        )
        self.objective = chosen
        self._elbo_metrics = ElboMetrics((*self.logged, *chosen.logged))

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """What `fit` and `evaluate` reset at the start of an epoch."""
        return self._elbo_metrics.all if self.compiled else []

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step of gradient ascent on the objective, averaged over the batch."""
        batch = self._batch(data)
        seed = self._step_seed(_TRAIN_STREAM, self.step)
        seed_layers(self, self._step_seed(_TRAIN_LAYERS, self.step))
        with tf.GradientTape() as tape:
            result = self._terms(batch, seed, training=True)
            loss = self._mean_loss(result.loss, batch.weight)
            # Replicas add their gradients up, so each gives its share.
            replicas = tf.distribute.get_strategy().num_replicas_in_sync
            scaled_loss = self.optimizer.scale_loss(loss / replicas)
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(scaled_loss, variables), variables)
        self.step.assign_add(1)
        return self._elbo_metrics.update(result, loss, batch.weight)

    def make_train_function(self, force: bool = False) -> None:
        """Keras' function of an iterator, or a faster one of the same steps; see `compile`."""
        if self.train_function is not None and not force:
            return
        super().make_train_function(force)
        if not self._loops_in_xla():
            return
        one_by_one = self.train_function
        together = looped(self.train_step, self._elbo_metrics.result, self.steps_per_execution)
        self.train_function = lambda iterator: (
            together(iterator) if can_be_looped(iterator) else one_by_one(iterator)
        )

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """The objective and the model's ELBO on a batch, with the same draws at each evaluation."""
        batch = self._batch(data)
        # Keras resets the count before each evaluation, so each has the same draws.
        seed = self._step_seed(_TEST_STREAM, self._elbo_metrics.batches)
        seed_layers(self, self._step_seed(_TEST_LAYERS, self._elbo_metrics.batches))
        result = self._terms(batch, seed)
        loss = self._mean_loss(result.loss, batch.weight)
        return self._elbo_metrics.update(result, loss, batch.weight)

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`, for the `.keras` file."""
        if not self.compiled:
            return {}
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "objective": keras.saving.serialize_keras_object(self.objective),
            **self._compile_arguments,
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as the saved model was, and builds the optimizer for its saved state."""
        names = ("optimizer", "objective")
        revived = {name: keras.saving.deserialize_keras_object(config[name]) for name in names}
        self.compile(**{**config, **revived})
        self.optimizer.build(self.trainable_variables)

    def _loops_in_xla(self) -> bool:
        """Whether XLA gets the loop over the steps of an execution, not a step alone."""
        return (
            self.jit_compile is True
            and self.steps_per_execution > 1
            and not self.run_eagerly
            and self.distribute_strategy.num_replicas_in_sync == 1
            and not tf.config.list_physical_devices("GPU")
            and type(self).train_step is ObjectiveTrainer.train_step  # its logs are known
        )

    def _step_seed(self, stream: int, step: tf.Tensor) -> tf.Tensor:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return fold_in(as_seed(self.seed), stream, step, replica)

    @property
    def logged(self) -> tuple[str, ...]:
        """Names of further values that `fit` logs, known before the first batch."""
        return ()

    def _batch(self, data: Any) -> Batch:
        """What a step is given, as a `Batch` in the dtype of the model's variables."""
        batch = named_parts(data, self._taken)
        x = tf.cast(batch.x, self.variable_dtype)
        weight = batch.weight
        if weight is not None:
            weight = tf.reshape(tf.cast(weight, x.dtype), [-1])
        return batch._replace(x=x, weight=weight)

    def _terms(self, batch: Batch, seed: tf.Tensor, training: bool = False) -> ObjectiveTerms:
        return self._objective().of_batch(
            self, batch, step=self.step.value, seed=seed, training=training
        )

    def _mean_loss(self, loss: tf.Tensor, weights: tf.Tensor | None) -> tf.Tensor:
        """The mean over the batch, and the regularisers of the networks' own weights."""
        mean = tf.reduce_mean(loss if weights is None else loss * tf.cast(weights, loss.dtype))
        return tf.add_n([mean, *(tf.cast(penalty, mean.dtype) for penalty in self.losses)])
