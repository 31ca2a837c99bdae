"""TensorBoard events of a run."""

from pathlib import Path

import tensorflow as tf

from vae_tf.runs.metrics_file import ENDED, EPOCH, SECONDS, Row
from vae_tf.utils.atomic import replacing

_VALIDATION = "val_"
# TensorBoard takes any file with "tfevents" in its name. One name, so that it is replaced.
_NAME = "events.out.tfevents.vae_tf"


def write_events(folder: Path, rows: list[Row]) -> None:
    """Writes `folder`/train and `folder`/validation anew, with the values of every epoch.

    Whole files instead of appended records: a kill leaves no half record, a resumed run no epoch
    twice, and TensorBoard, which reads on from where it was, finds the same bytes before that.

    Args:
        folder: The run's `tensorboard` folder.
        rows: See `read_metrics`.

    Raises:
        OSError: if they cannot be written.
    """
    splits: dict[str, list[tf.compat.v1.Event]] = {"train": [], "validation": []}
    for row in rows:
        for name, value in row.items():
            if name in (EPOCH, SECONDS, ENDED):
                continue
            split = "validation" if name.startswith(_VALIDATION) else "train"
            tag = f"epoch_{name.removeprefix(_VALIDATION)}"  # as Keras' callback names them
            summary = tf.compat.v1.Summary(value=[{"tag": tag, "simple_value": value}])
            splits[split].append(
                tf.compat.v1.Event(wall_time=row[ENDED], step=int(row[EPOCH]), summary=summary)
            )
    for split, events in splits.items():
        if events:
            _write(folder / split / _NAME, events)


def _write(path: Path, events: list[tf.compat.v1.Event]) -> None:
    version = tf.compat.v1.Event(wall_time=events[0].wall_time, file_version="brain.Event:2")
    with replacing(path) as written:
        try:
            with tf.io.TFRecordWriter(str(written)) as writer:
                for event in (version, *events):
                    writer.write(event.SerializeToString())
        except tf.errors.OpError as error:
            # TensorFlow has exceptions of its own for a full disk and the like.
            raise OSError(None, error.message) from error
