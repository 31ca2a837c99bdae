"""The latents of a model as one vector, for samplers that move all of them together."""

import math
from collections.abc import Mapping

import tensorflow as tf

from vae_tf.inference.trace import Trace


class Packing:
    """The map between the latents `[C, B, *event]` by name and one vector `[C, B, D]`.

    Args:
        trace: Of the model; gives the names and the shapes.
    """

    def __init__(self, trace: Trace) -> None:
        self._events = {name: z.shape[2:].as_list() for name, z in trace.z.items()}

    @property
    def sizes(self) -> list[int]:
        """Number of dimensions of each latent."""
        return [math.prod(event) for event in self._events.values()]

    def pack(self, z: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Name -> `[..., *event]` as `[..., D]`."""
        flat = [_flat(z[name], len(event)) for name, event in self._events.items()]
        return flat[0] if len(flat) == 1 else tf.concat(flat, axis=-1)

    def unpack(self, z: tf.Tensor) -> dict[str, tf.Tensor]:
        """`[..., D]` as name -> `[..., *event]`."""
        parts = [z] if len(self._events) == 1 else tf.split(z, self.sizes, axis=-1)
        return {
            name: part if len(event) == 1 else tf.reshape(part, [*part.shape[:-1], *event])
            for (name, event), part in zip(self._events.items(), parts, strict=True)
        }


def _flat(z: tf.Tensor, rank: int) -> tf.Tensor:
    if rank == 1:
        return z
    lead = tf.shape(z)[: z.shape.rank - rank]
    return tf.reshape(z, tf.concat([lead, [math.prod(z.shape[z.shape.rank - rank :])]], axis=0))
