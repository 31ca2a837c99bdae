"""A conditional distribution: a network of named inputs and a distribution layer."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from tensorflow_probability import distributions as tfd

from vae_tf.layers.base import DistributionLayer
from vae_tf.utils.errors import InputError


@keras.saving.register_keras_serializable(package="vae_tf")
class Conditional(keras.layers.Layer):
    """p(a | b, c, ...): `network` makes the parameters of `layer` from the named inputs.

    Args:
        network: `keras.Model` or layer, built. Of one input if `inputs` is one name; of a dict with
            these names, or a list in their order, for several. Gives `[B, layer.params_size]`.
        layer: `DistributionLayer`. Parameters -> the distribution.
        inputs: str or sequence of str. Names of what it depends on: latents, "x", "condition", or
            whatever the model's context has.
        **kwargs: For `keras.layers.Layer`.

    Raises:
        InputError: if `layer` is no distribution layer of known size, or the network has another
            number of inputs.
    """

    def __init__(
        self,
        network: keras.layers.Layer,
        layer: DistributionLayer,
        inputs: str | Sequence[str],
        **kwargs: Any,
    ) -> None:
        # Inputs go to the network as they are: it casts what it wants cast.
        super().__init__(autocast=False, **kwargs)
        if not isinstance(layer, DistributionLayer) or layer.params_size is None:
            raise InputError(
                "layer is a layer of vae_tf.layers with a known params_size, such as "
                f"IndependentNormal; got {layer!r}."
            )
        self.network = network
        self.layer = layer
        self.inputs = (inputs,) if isinstance(inputs, str) else tuple(inputs)
        self._event_ranks = _event_ranks(network, self.inputs)
        self.built = True

    def distribution(self, known: dict[str, Any], training: bool = False) -> tfd.Distribution:
        """The distribution given the inputs.

        Args:
            known: Name -> `[..., *event]`. Leading axes `[B]` are broadcast to `[K, B]` where another
                input has those.
            training: bool. Whether the network runs in training mode. Defaults to False.

        Returns:
            Batch shape: the leading axes.

        Raises:
            InputError: for a missing input.
        """
        missing = [name for name in self.inputs if name not in known]
        if missing:
            raise InputError(
                f"{self.name} depends on {', '.join(missing)}, and known are {', '.join(known)}; add "
                "it to the model's context, or put it above."
            )
        given = {name: tf.convert_to_tensor(known[name]) for name in self.inputs}
        ranks = {name: len(value.shape) - self._event_ranks[name] for name, value in given.items()}
        deepest = max(self.inputs, key=lambda name: ranks[name])
        lead = tf.shape(given[deepest])[: ranks[deepest]]
        folded = {
            name: self._folded(name, value, lead, broadcast=ranks[name] < ranks[deepest])
            for name, value in given.items()
        }
        params = self.network(self._as_network_takes(folded), training=training)
        params = tf.reshape(params, tf.concat([lead, [self.layer.params_size]], axis=0))
        params.set_shape([*given[deepest].shape[: ranks[deepest]], self.layer.params_size])
        return self.layer.distribution(params)

    def _folded(self, name: str, value: tf.Tensor, lead: tf.Tensor, broadcast: bool) -> tf.Tensor:
        """`[..., *event]` broadcast to the leading axes, as `[N, *event]`."""
        event = value.shape[len(value.shape) - self._event_ranks[name] :]
        if broadcast:
            value = tf.broadcast_to(value, tf.concat([lead, event], axis=0))
        return tf.reshape(value, [-1, *event])

    def _as_network_takes(self, folded: dict[str, tf.Tensor]) -> Any:
        if len(self.inputs) == 1:
            return folded[self.inputs[0]]
        return (
            folded
            if isinstance(_entry(self.network), dict)
            else [folded[name] for name in self.inputs]
        )

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        config.pop("autocast", None)
        return {
            **config,
            "network": keras.saving.serialize_keras_object(self.network),
            "layer": keras.saving.serialize_keras_object(self.layer),
            "inputs": list(self.inputs),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Conditional":
        """The layer of `get_config`, with fresh weights."""
        parts = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("network", "layer")
        }
        return cls(**{**config, **parts})


def _event_ranks(network: Any, names: tuple[str, ...]) -> dict[str, int]:
    """The number of axes of one example of each input."""
    entry = _entry(network)
    if entry is None:  # a layer: its inputs are vectors
        return dict.fromkeys(names, 1)
    if isinstance(entry, dict):
        entries = {name: entry[name] for name in names if name in entry}
    else:
        listed = entry if isinstance(entry, list | tuple) else [entry]
        entries = dict(zip(names, listed, strict=False)) if len(listed) == len(names) else {}
    if set(entries) != set(names) or (isinstance(entry, dict) and len(entry) != len(names)):
        raise InputError(
            f"The network takes {keras.tree.map_structure(lambda t: t.name, entry)}, and inputs are "
            f"{', '.join(names)}; give the network one input for each name."
        )
    return {name: len(tensor.shape) - 1 for name, tensor in entries.items()}


def _entry(network: Any) -> Any:
    """The symbolic input of a Keras model: a tensor, a list or a dict; None of a plain layer."""
    if isinstance(network, keras.Sequential):  # which has no `input` before its first call
        return network.inputs
    return getattr(network, "input", None)
