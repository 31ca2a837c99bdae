"""A latent-variable model put together from its conditional distributions."""

from collections.abc import Mapping
from typing import Any, Self

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.inference.batch import Batch
from vae_tf.layers.conditional import Conditional
from vae_tf.models.latent_variable_model import LatentVariableModel
from vae_tf.models.node import Node
from vae_tf.utils.errors import InputError


@keras.saving.register_keras_serializable(package="vae_tf")
class DirectedModel(LatentVariableModel):
    """p(x | latents) Π p(latent | latents above), with a posterior for each latent.

        model = DirectedModel(
            {"z2": Node(StandardNormal(2), Conditional(q_2, IndependentNormal(2), "x")),
             "z1": Node(Conditional(p_1, IndependentNormal(4), "z2"),
                        Conditional(q_1, IndependentNormal(4), ["x", "z2"]))},
            Conditional(p_x, IndependentBernoulli((8, 8, 1)), "z1"),
        )

    Args:
        latents: dict. Name -> `Node`, parents first. The order is part of the file format.
        p_x: `Conditional`. The likelihood.
        condition: dict or tuple or None. What the model is conditioned on: name -> shape of one
            example for a condition of named parts, or the shape of a plain one. Defaults to None.
        seed: int. Every draw of `fit` and `evaluate` is a function of it and of the step. Defaults to
            a fresh one.
        **kwargs: For `keras.Model`: `name`, `dtype`.

    Raises:
        InputError: if a part is something else, depends on what does not stand above it, or does not
            fit.
    """

    def __init__(
        self,
        latents: Mapping[str, Node],
        p_x: Conditional,
        condition: Any = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(seed, **kwargs)
        for name, node in latents.items():
            if not isinstance(node, Node):
                raise InputError(f"The latent {name!r} is a Node; got {node!r}.")
        if not latents or not isinstance(p_x, Conditional):
            raise InputError(
                f"A model has latents and a Conditional p_x; got {latents!r}, {p_x!r}."
            )
        self.latents = dict(latents)
        self.conditional_x = p_x
        self.likelihood = p_x.layer
        self.condition = condition
        self.takes = () if condition is None else ("condition",)
        self._finish_building()

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The latents by name, parents first."""
        return self.latents

    @property
    def parts(self) -> dict[str, str]:
        """Class names of the layers of the posteriors, the likelihood and the priors."""
        posteriors = [node.posterior for node in self.latents.values()]
        priors = [node.prior for node in self.latents.values()]
        return {
            "posterior": ", ".join(type(q.layer).__name__ for q in posteriors if q is not None),
            "likelihood": type(self.likelihood).__name__,
            "prior": ", ".join(
                type(p.layer if isinstance(p, Conditional) else p).__name__ for p in priors
            ),
        }

    def p_x(self, known: dict[str, Any], training: bool = False) -> tfd.Distribution:
        """p(x | latents, condition), batch shape [K, B]."""
        return self.conditional_x.distribution(known, training)

    def example_batch(self, rows: int) -> Batch:
        """A batch of zeros."""

        def zeros(shape: Any) -> tf.Tensor:
            return tf.zeros([rows, *shape], self.variable_dtype)

        condition = self.condition
        if isinstance(condition, Mapping):
            condition = {name: zeros(shape) for name, shape in condition.items()}
        elif condition is not None:
            condition = zeros(condition)
        return Batch(zeros(self.event_shape), condition)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        serialise = keras.saving.serialize_keras_object
        condition = self.condition
        return {
            **keras.layers.Layer.get_config(self),
            # A list of pairs: JSON objects are written in another order.
            "latents": [[name, serialise(node)] for name, node in self.latents.items()],
            "p_x": serialise(self.conditional_x),
            "condition": dict(condition) if isinstance(condition, Mapping) else condition,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Self:
        """The model of `get_config`, with fresh weights."""

        def revive(part: Any) -> Any:
            return keras.saving.deserialize_keras_object(part, custom_objects)

        latents = {name: revive(node) for name, node in config["latents"]}
        return cls(**{**config, "latents": latents, "p_x": revive(config["p_x"])})
