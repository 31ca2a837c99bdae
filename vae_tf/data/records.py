"""Reads prepared TensorFlow Datasets: whole batches of records at once.

`builder.as_dataset` parses and decodes record by record, which takes 5 times as long for small
images, and shuffles by file, which is not a function of seed and epoch.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from vae_tf.utils.errors import InputError


@dataclasses.dataclass(frozen=True)
class Records:
    """Where the images of a prepared dataset are and how to decode them.

    Attributes:
        builder: tfds.core.DatasetBuilder. Prepared.
        image: str. Name of the image feature.
        label: str or None. Name of the label feature.
        image_size: (height, width) to scale to, or None.
    """

    builder: Any
    image: str
    label: str | None
    image_size: tuple[int, int] | None = None

    @property
    def event_shape(self) -> tuple[int, int, int]:
        """[H, W, C] of a decoded image.

        Raises:
            InputError: if images vary in size and no `image_size` is set.
        """
        height, width, channels = self.builder.info.features[self.image].shape
        if self.image_size is not None:
            height, width = self.image_size
        if None in (height, width, channels):
            raise InputError(
                f"{self.builder.name!r} holds images of varying size (feature {self.image!r}: "
                f"{self.builder.info.features[self.image].shape}); pass image_size=(height, width) "
                "to bring them to one size."
            )
        return height, width, channels

    @property
    def dtype(self) -> np.dtype:
        """uint8, or float32 for every other type of pixel."""
        stored = np.dtype(self.builder.info.features[self.image].np_dtype)
        return np.dtype(np.uint8 if stored == np.uint8 else np.float32)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Name of each label, or empty."""
        if self.label is None:
            return ()
        feature = self.builder.info.features[self.label]
        return tuple(feature.int2str(i) for i in range(feature.num_classes))

    def count(self, split: str) -> int:
        """Examples in a split."""
        return int(self.builder.info.splits[split].num_examples)

    def serialized(self, split: str) -> Any:
        """The records of a split as they are on disk: tf.data.Dataset of string scalars."""
        if self.builder.info.file_format != tfds.core.FileFormat.TFRECORD:
            raise InputError(
                f"{self.builder.name!r} was prepared as {self.builder.info.file_format.value}; "
                "prepare it with file_format='tfrecord', or pass another data_dir."
            )
        return tf.data.TFRecordDataset([str(p) for p in self.builder.info.splits[split].filepaths])

    def decode(self, records: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Decodes a batch, in the graph.

        Args:
            records: string [B].

        Returns:
            (images [B, H, W, C] of `dtype`, labels int64 [B] or None).
        """
        features = self.builder.info.features
        spec = {self.image: tf.io.FixedLenFeature((), tf.string)}
        if self.label is not None:
            spec[self.label] = tf.io.FixedLenFeature((), tf.int64)
        parsed = tf.io.parse_example(records, spec)
        feature = features[self.image]
        if isinstance(feature, tfds.features.Image):
            images = tf.map_fn(
                lambda png: self._fit(feature.decode_example(png)),
                parsed[self.image],
                fn_output_signature=tf.TensorSpec(self.event_shape, self.dtype),
            )
        else:  # raw bytes, as `IdxImages` writes them
            images = tf.io.decode_raw(parsed[self.image], tf.uint8)
            images = tf.reshape(images, [-1, *feature.shape])
            if self.image_size is not None:
                images = self._fit(images)
        images = tf.ensure_shape(images, [None, *self.event_shape])
        return images, None if self.label is None else parsed[self.label]

    def _fit(self, image: tf.Tensor) -> tf.Tensor:
        """Scales to `image_size` and casts to `dtype`."""
        if image.dtype not in (tf.uint8, tf.float32):
            image = tf.image.convert_image_dtype(image, tf.float32)
        return image if self.image_size is None else resize(image, self.image_size)

    def arrays(self, split: str) -> tuple[np.ndarray, np.ndarray | None]:
        """A whole split in memory: (images [N, H, W, C], labels int64 [N] or None)."""
        size = self.count(split)
        images = np.empty((size, *self.event_shape), self.dtype)
        labels = None if self.label is None else np.empty(size, np.int64)
        start = 0
        batches = self.serialized(split).batch(512)
        decoded = batches.map(
            lambda r: tuple(part for part in self.decode(r) if part is not None),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        for parts in decoded.prefetch(tf.data.AUTOTUNE):
            stop = start + len(parts[0])
            images[start:stop] = parts[0].numpy()
            if labels is not None:
                labels[start:stop] = parts[1].numpy()
            start = stop
        if start != size:
            raise InputError(
                f"the prepared copy of {self.builder.name!r} holds {start} of {size} {split} "
                f"examples; delete {self.builder.data_dir} and load again."
            )
        return images, labels


def resize(images: Any, image_size: Sequence[int]) -> tf.Tensor:
    """Scales [H, W, C] or [B, H, W, C] to (height, width) in the same dtype, antialiased."""
    scaled = tf.image.resize(images, image_size, antialias=True)
    if images.dtype == tf.uint8:
        scaled = tf.clip_by_value(tf.round(scaled), 0, 255)
    return tf.cast(scaled, images.dtype)
