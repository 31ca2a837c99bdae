"""TensorFlow Serving's own files, with its messages; and the flags of everything that starts it."""

import re

import pytest

from tests.serving.deploy.dockerfile import stages
from tests.serving.deploy.paths import DEPLOY, load
from vae_tf_serving.client.options import Options as ClientOptions
from vae_tf_serving.core.batching.options import BatchingOptions
from vae_tf_serving.core.config import text_protos
from vae_tf_serving.startup import flags

CONFIG = DEPLOY / "config"


def test_models_config_serves_vae():
    (model,) = text_protos.model_server_config(CONFIG / "models.config").model_config_list.config
    assert (model.name, model.base_path) == ("vae", "/models/vae")
    assert model.model_platform == "tensorflow"
    assert model.model_version_policy.latest.num_versions == 1


def test_batching_config_holds_what_the_client_sends():
    options = BatchingOptions.from_proto(
        text_protos.batching_parameters(CONFIG / "batching.config")
    )
    options.check()
    assert options.max_batch_size >= ClientOptions("localhost:8500").max_rows
    assert options.allowed_batch_sizes[-1] == options.max_batch_size
    assert options.num_batch_threads >= 1
    assert options.batch_timeout_micros > 0


def test_metrics_page_is_where_it_is_looked_for():
    page = text_protos.monitoring_config(CONFIG / "monitoring.config").prometheus_config
    assert page.enable
    (job,) = load("prometheus/prometheus.yml")["scrape_configs"]
    assert job["metrics_path"] == page.path
    template = load("kubernetes/base/deployment.yaml")["spec"]["template"]
    assert template["metadata"]["annotations"]["prometheus.io/path"] == page.path


def _commands() -> dict[str, list[str]]:
    commands = {s.name: s.entrypoint() for s in stages() if s.name in ("cpu", "gpu")}
    (server,) = load("kubernetes/base/deployment.yaml")["spec"]["template"]["spec"]["containers"]
    return commands | {"kubernetes": server["command"] + server["args"]}


@pytest.mark.parametrize("where", ["cpu", "gpu", "kubernetes"])
def test_server_is_started_with_flags_it_knows_and_files_that_exist(where):
    program, *arguments = _commands()[where]
    assert program == "tensorflow_model_server"
    assert all(re.fullmatch(r"--\w+=\S+", argument) for argument in arguments)
    known = {name for name, _ in flags.split(arguments)} - set(flags.OWN)
    assert len(known) == len(arguments)  # none of the embedded server's own, none twice
    options = flags.parse(arguments)
    assert (options.port, options.rest_api_port) == (8500, 8501)
    assert options.enable_batching
    for file in (
        options.model_config_file,
        options.batching_parameters_file,
        options.monitoring_config_file,
    ):
        assert (CONFIG / file.removeprefix("/etc/tf_serving/")).is_file(), file
