import pytest

from vae_tf_serving.core.batching.options import BatchingOptions
from vae_tf_serving.core.config import text_protos
from vae_tf_serving.status import Code


def write(tmp_path, text):
    file = tmp_path / "some.config"
    file.write_text(text)
    return file


def test_model_server_config(tmp_path):
    text = """
        # commas between entries are taken too
        model_config_list: {
          config: { name: "a", base_path: "/models/a", model_platform: "tensorflow"
                    model_version_policy { specific { versions: 1 versions: 2 } }
                    version_labels { key: "stable" value: 1 } },
          config: { name: "b" base_path: "/models/b" model_platform: "tensorflow" }
        }"""
    a, b = text_protos.model_server_config(write(tmp_path, text)).model_config_list.config
    assert (a.name, b.name) == ("a", "b")
    assert list(a.model_version_policy.specific.versions) == [1, 2]
    assert dict(a.version_labels) == {"stable": 1}
    config = text_protos.model_server_config(write(tmp_path, "model_config_list {}"))
    assert config.WhichOneof("config") == "model_config_list"


def test_batching_parameters(tmp_path):
    text = """
        max_batch_size { value: 8 }  batch_timeout_micros { value: 500 }
        max_enqueued_batches { value: 100 }  num_batch_threads { value: 2 }
        allowed_batch_sizes: 2  allowed_batch_sizes: 4  pad_variable_length_inputs: true
        enable_large_batch_splitting { value: true }  max_execution_batch_size { value: 4 }
        thread_pool_name { value: "pool" }"""
    options = BatchingOptions.from_proto(text_protos.batching_parameters(write(tmp_path, text)))
    assert options == BatchingOptions(8, 500, 100, 2, (2, 4), True, True, 4)
    options.check()
    empty = text_protos.batching_parameters(write(tmp_path, "# all as it is by default\n"))
    assert BatchingOptions.from_proto(empty) == BatchingOptions()


def test_monitoring_and_ssl(tmp_path):
    text = 'prometheus_config { enable: true path: "/metrics" }'
    monitoring = text_protos.monitoring_config(write(tmp_path, text)).prometheus_config
    assert (monitoring.enable, monitoring.path) == (True, "/metrics")
    ssl = text_protos.ssl_config(write(tmp_path, 'server_key: "K\\nL" client_verify: true'))
    assert (ssl.server_key, ssl.custom_ca, ssl.client_verify) == ("K\nL", "", True)


@pytest.mark.parametrize(
    ("read", "message", "text", "where"),
    [
        (
            text_protos.model_server_config,
            "tensorflow.serving.ModelServerConfig",
            "model_config_list {\n  config { nam: 'a' }\n}",
            (2, 12),
        ),
        (
            text_protos.batching_parameters,
            "tensorflow.serving.BatchingParameters",
            "num_batch_threads { value: 1 }\nmax_batch_size: 8",
            (2, 17),
        ),
    ],
)
def test_what_does_not_parse(tmp_path, read, message, text, where):
    file = write(tmp_path, text)
    with pytest.raises(text_protos.ConfigError) as caught:
        read(file)
    error = caught.value
    assert error.code == Code.INVALID_ARGUMENT
    assert error.message.startswith(f"Invalid protobuf file: '{file}'")
    assert (error.line, error.column) == where
    line, column = where
    assert f"line {line}, column {column}" in error.message
    assert error.detail.startswith(f"Error parsing text-format {message}: {line}:{column}: ")


def test_what_cannot_be_read(tmp_path):
    for path, code, message in (
        (tmp_path / "no", Code.NOT_FOUND, f"{tmp_path / 'no'}; No such file or directory"),
        (write(tmp_path, ""), Code.INVALID_ARGUMENT, f"{tmp_path}/some.config; Invalid argument"),
    ):
        with pytest.raises(text_protos.ConfigError) as caught:
            text_protos.model_server_config(path)
        assert (caught.value.code, caught.value.message) == (code, message)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(text_protos.ConfigError, match="Invalid protobuf file"):
        text_protos.model_server_config(tmp_path / "binary")
