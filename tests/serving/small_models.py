"""Two small models that between them have a signature for everything a server can be asked.

`python -m tests.serving.small_models FOLDER` writes them with the files that a server needs:

    FOLDER/models.config  FOLDER/monitoring.config  FOLDER/plus_two/{1,2,3}  FOLDER/vae/1

so that the protocol suite can be run against any server that was started with
`--model_config_file=FOLDER/models.config --monitoring_config_file=FOLDER/monitoring.config
--allow_version_labels_for_unavailable_models`.
"""

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

LATENT, PIXELS = 2, 6
METRICS = "/monitoring/prometheus/metrics"

_MODELS_CONFIG = """
model_config_list {{
  config {{
    name: "plus_two"
    base_path: "{folder}/plus_two"
    model_platform: "tensorflow"
    model_version_policy {{ specific {{ versions: 1 versions: 2 }} }}
    version_labels {{ key: "stable" value: 1 }}
    version_labels {{ key: "canary" value: 2 }}
  }}
  config {{ name: "vae" base_path: "{folder}/vae" model_platform: "tensorflow" }}
}}
"""
_MONITORING_CONFIG = f'prometheus_config {{ enable: true path: "{METRICS}" }}\n'


def spec(shape, dtype=tf.float32, name=None):
    return tf.TensorSpec(shape, dtype, name)


class PlusTwo(tf.Module):
    """y = x / 2 + 2 + (version - 1), and oddities."""

    def __init__(self, version):
        super().__init__()
        self.shift = tf.Variable(2.0 + version - 1)

    @tf.function(input_signature=[spec([None, 1], name="x")])
    def serving_default(self, x):
        return {"y": x / 2 + self.shift}

    @tf.function(input_signature=[spec([None], name="a"), spec([None], name="b")])
    def add(self, a, b):
        return {"total": a + b, "difference": a - b}

    @tf.function(
        input_signature=[
            spec([None], tf.float64, "f64"),
            spec([None], tf.int8, "i8"),
            spec([None], tf.int64, "i64"),
            spec([None], tf.uint8, "u8"),
            spec([None], tf.uint64, "u64"),
            spec([None], tf.bool, "flag"),
            spec([None], tf.string, "text"),
        ]
    )
    def types(self, f64, i8, i64, u8, u64, flag, text):
        numbers = {"f64": f64, "i8": i8, "i64": i64, "u8": u8, "u64": u64, "flag": flag}
        outputs = {f"{name}_out": tf.identity(value) for name, value in numbers.items()}
        return outputs | {"text_out": tf.identity(text), "text_bytes": tf.identity(text)}

    @tf.function(input_signature=[spec(None, name="x")])
    def echo(self, x):
        return {"y": tf.identity(x)}

    @tf.function(input_signature=[spec(None, tf.string, "s")])
    def echo_text(self, s):
        return {"s_out": tf.identity(s)}

    @tf.function(input_signature=[spec(None, name="x")])
    def matmul(self, x):
        return {"y": tf.matmul(x, tf.ones([4, 2]))}

    @tf.function(input_signature=[spec([None], name="x")])
    def shapes(self, x):
        return {"rows": x, "pairs": tf.reshape(x, [-1, 2])}

    @tf.function(input_signature=[spec(None, name="x")])
    def scalar(self, x):
        return {"sum": tf.reduce_sum(x)}

    @tf.function(input_signature=[spec(None, name="x")])
    def half_out(self, x):
        return {"y": tf.cast(x, tf.float16)}

    @tf.function(input_signature=[spec(None, tf.float16, "x")])
    def half_in(self, x):
        return {"y": tf.cast(x, tf.float32)}

    @tf.function(input_signature=[])
    def constant(self):
        return {"y": self.shift + 0.0}

    @tf.function(input_signature=[spec([], tf.int32, "n")])
    def slow(self, n):
        """n steps, some hundred thousand a second."""
        return {"y": tf.while_loop(lambda i: i < n, lambda i: (i + 1,), [tf.constant(0)])[0]}

    @tf.function(input_signature=[spec([None], tf.string, "inputs")])
    def classify(self, inputs):
        x = _features(inputs)
        labels = tf.tile(tf.constant([["low", "high"]]), [tf.shape(inputs)[0], 1])
        return {"classes": labels, "scores": tf.stack([-x, x], 1)}

    @tf.function(input_signature=[spec([None], tf.string, "inputs")])
    def regress(self, inputs):
        return {"outputs": _features(inputs) / 2 + self.shift}


def _features(inputs):
    parsed = tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([1], tf.float32)})
    return parsed["x"][:, 0]


class Vae(tf.Module):
    """Signatures as a variational auto-encoder exports them: row-wise, seeds as inputs."""

    def __init__(self):
        super().__init__()
        weights = tf.random.stateless_normal([LATENT, PIXELS], seed=[1, 2])
        self.weights = tf.Variable(weights)

    @tf.function(input_signature=[spec([None, PIXELS], name="x")])
    def encode(self, x):
        mean = tf.matmul(x, self.weights, transpose_b=True)
        return {"mean": mean, "stddev": tf.nn.softplus(mean)}

    @tf.function(input_signature=[spec([None, LATENT], name="z")])
    def decode(self, z):
        return {"x": tf.sigmoid(tf.matmul(z, self.weights))}

    @tf.function(input_signature=[spec([None], tf.int64, "seed")])
    def sample(self, seed):
        z = tf.stack([tf.sin(tf.cast(seed * (k + 3), tf.float32)) for k in range(LATENT)], 1)
        return {"z": z, **self.decode(z)}

    @tf.function(input_signature=[spec([None, PIXELS], name="x")])
    def reconstruct(self, x):
        return self.decode(self.encode(x)["mean"])

    @tf.function(input_signature=[spec([None, PIXELS], name="x"), spec([None], tf.int64, "seed")])
    def score(self, x, seed):
        elbo = -tf.reduce_sum((self.reconstruct(x)["x"] - x) ** 2, 1)
        return {"elbo": elbo, "log_prob": elbo + tf.cast(seed % 2, tf.float32)}


def save_plus_two(path, version):
    module = PlusTwo(version)
    names = [name for name in vars(PlusTwo) if isinstance(getattr(module, name), _FUNCTION)]
    tf.saved_model.save(module, str(path), {name: getattr(module, name) for name in names})
    _add_default(Path(path) / "saved_model.pb")


def save_vae(path):
    module = Vae()
    names = ("encode", "decode", "sample", "reconstruct", "score")
    signatures = {name: getattr(module, name) for name in names}
    tf.saved_model.save(module, str(path), signatures | {"serving_default": module.reconstruct})
    extra = Path(path) / "assets.extra"
    extra.mkdir()
    (extra / "vae_tf.json").write_text(json.dumps({"row_wise": True}))


_FUNCTION = type(PlusTwo.echo)


def _add_default(path):
    """Gives input b of the signature `add` the default [10]."""
    model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    signature = model.meta_graphs[0].signature_def["add"]
    signature.defaults["b"].CopyFrom(tf.make_tensor_proto([10.0]))
    path.write_bytes(model.SerializeToString())


def write(folder):
    """All models and files; returns the folder."""
    folder = Path(folder).resolve()
    for version in (1, 2, 3):
        save_plus_two(folder / "plus_two" / str(version), version)
    save_vae(folder / "vae" / "1")
    (folder / "models.config").write_text(_MODELS_CONFIG.format(folder=folder))
    (folder / "monitoring.config").write_text(_MONITORING_CONFIG)
    return folder


if __name__ == "__main__":
    print(write(sys.argv[1]))
