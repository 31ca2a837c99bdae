import logging
import threading
import time

import pytest
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from vae_tf_serving.core.config.config_checks import single_model
from vae_tf_serving.status import Code, StatusError


@pytest.fixture
def other_path(tmp_path):
    path = tmp_path / "other"
    path.mkdir()
    return path


def config(labels=None, latest=1, platform="tensorflow", **models):
    made = ModelServerConfig()
    made.model_config_list.SetInParent()
    for name, path in models.items():
        model = made.model_config_list.config.add(
            name=name, base_path=str(path), model_platform=platform
        )
        model.model_version_policy.latest.num_versions = latest
        model.version_labels.update(labels or {})
    return made


def error(call, *arguments, **named):
    with pytest.raises(StatusError) as caught:
        call(*arguments, **named)
    return caught.value.code, caught.value.message


def version(manager, name="m", **which):
    with manager.servable_handle(name, **which) as servable:
        return servable.version


def test_reload_awaits_new_models_and_unloads_omitted_ones(
    serve, publish, base_path, other_path, until
):
    publish(1)
    publish(5, base_path=other_path)
    manager = serve()
    manager.reload(config(m=base_path, n=other_path))
    assert version(manager, "n") == 5
    manager.reload(config(n=other_path))
    until(lambda: manager.status("m")[0].state == 50)
    with pytest.raises(StatusError, match="Servable not found for request: Latest"):
        version(manager)
    manager.reload(ModelServerConfig())
    assert version(manager, "n") == 5
    manager.reload(config())
    until(lambda: manager.status("n")[0].state == 50)


def test_a_model_that_is_listed_again_at_once_is_loaded_anew(serve, publish, base_path, other_path):
    publish(1)
    publish(1, base_path=other_path)
    manager = serve(manage_interval=0.3)
    manager.reload(config())
    manager.reload(config(m=other_path), time.monotonic() + 10)
    with manager.servable_handle("m") as servable:
        assert servable.path == other_path / "1"


def test_a_model_that_is_listed_again_at_once_is_tried_again(serve, publish, base_path, other_path):
    publish(1)
    (other_path / "1").mkdir()
    manager = serve(max_num_load_retries=0, manage_interval=0.3)
    both = config(m=base_path, n=other_path)
    assert error(manager.reload, both)[0] == Code.UNKNOWN
    (other_path / "1").rmdir()
    publish(1, base_path=other_path)
    manager.reload(config(m=base_path))
    manager.reload(both, time.monotonic() + 10)
    assert version(manager, "n") == 1


def test_a_model_that_is_listed_again_while_it_unloads_is_awaited(serve, publish, base_path, until):
    publish(1)
    manager = serve()
    ended = []

    def reload():
        try:
            manager.reload(config(m=base_path), time.monotonic() + 10)
        except StatusError as failure:
            ended.append(failure)
        else:
            ended.append(version(manager))

    with manager.servable_handle("m"):
        manager.reload(config())
        until(lambda: manager.status("m")[0].state == 40)
        thread = threading.Thread(target=reload)
        thread.start()
        time.sleep(0.1)
        assert not ended
    thread.join(20)
    assert ended == [1]


def test_a_version_scan_does_not_undo_a_reload(serve, publish, base_path, other_path):
    """The scan is held between its look at the configuration and what it does about it."""
    publish(1)
    publish(1, base_path=other_path)
    manager = serve(file_system_poll_wait_seconds=0)
    aspire, reloads = manager._lifecycle.aspire, []

    def held(versions, models):
        if not reloads:
            reloads.append(threading.Thread(target=manager.reload, args=[config(n=other_path)]))
            reloads[0].start()
            reloads[0].join(1)
        aspire(versions, models)

    manager._lifecycle.aspire = held
    manager._scan()
    reloads[0].join(20)
    assert manager._lifecycle._aspired.keys() == {"n"}


def test_a_new_model_that_does_not_load(serve, publish, base_path, other_path):
    publish(1)
    (other_path / "1").mkdir()
    manager = serve(max_num_load_retries=0)
    code, message = error(manager.reload, config(m=base_path, n=other_path))
    assert code == Code.UNKNOWN
    assert message.startswith(
        "1 model(s) did not become available: {{{name: n version: 1} due to error: NOT_FOUND: "
    )
    assert version(manager) == 1


def test_a_reload_that_cannot_end_holds_up_no_other(
    serve, publish, base_path, other_path, tmp_path, until
):
    publish(1)
    manager = serve()
    missing = config(m=base_path, n=tmp_path / "missing")
    assert error(manager.reload, missing) == (
        Code.NOT_FOUND,
        f"Could not find base path {tmp_path / 'missing'} for servable n",
    )
    waiting = config(m=base_path, n=other_path)  # which holds no version yet
    assert error(manager.reload, waiting, time.monotonic() + 0.05)[0] == Code.DEADLINE_EXCEEDED
    manager.reload(config(m=base_path))
    ended = []
    thread = threading.Thread(target=lambda: ended.append(error(manager.reload, waiting)[0]))
    thread.start()
    until(lambda: "n" in manager._names())
    manager.reload(config(m=base_path))
    thread.join(20)
    assert ended == [Code.ABORTED]
    publish(1, base_path=other_path)
    manager.reload(waiting)
    assert version(manager) == version(manager, "n") == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"m": "models/m"},
            "Expected model m to have an absolute path or URI; got base_path()=models/m",
        ),
        (
            {"platform": "foo"},
            "Illegal to change a model's platform. For model m platform was "
            "tensorflow and new platform requested is foo",
        ),
        (
            {"platform": ""},
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            "ModelServerConfig::model_platform, model name is m",
        ),
    ],
)
def test_wrong_configurations_change_nothing(serve, publish, base_path, change, message):
    publish(1)
    manager = serve()
    new = config(**{"m": base_path, **change})
    assert error(manager.reload, new) == (Code.INVALID_ARGUMENT, message)
    assert version(manager) == 1
    twice = config(m=base_path)
    twice.model_config_list.config.add().CopyFrom(twice.model_config_list.config[0])
    assert error(manager.reload, twice) == (
        Code.INVALID_ARGUMENT,
        "Illegal to list model m multiple times in config list",
    )
    other = ModelServerConfig()
    other.custom_model_config.SetInParent()
    assert error(manager.reload, other)[0] == Code.FAILED_PRECONDITION
    assert version(manager) == 1


def test_wrong_configurations_do_not_start(serve, base_path):
    assert error(serve, config(m=base_path, platform="foo")) == (
        Code.INVALID_ARGUMENT,
        "Model m requests unsupported platform foo",
    )
    assert error(serve, config(labels={"stable": 1}, m=base_path)) == (
        Code.FAILED_PRECONDITION,
        "Request to assign label to version 1 of model m, which is not currently available for "
        "inference",
    )


def test_labels(serve, publish, base_path, until):
    publish(1)
    publish(2)
    manager = serve(config(latest=2, m=base_path))
    until(lambda: [status.state for status in manager.status("m")] == [30, 30])
    manager.reload(config({"stable": 1, "canary": 2}, latest=2, m=base_path))
    assert version(manager, label="stable") == 1
    assert version(manager, label="canary") == 2
    # A label on what is not there fails, and the old labels stay.
    code, _ = error(manager.reload, config({"stable": 7, "canary": 2}, latest=2, m=base_path))
    assert code == Code.FAILED_PRECONDITION
    assert version(manager, label="stable") == 1
    # Moving a label off a version and dropping the version works in one step.
    manager.reload(config({"stable": 2}, m=base_path))
    assert version(manager, label="stable") == 2
    with pytest.raises(StatusError, match="Unrecognized servable version label: canary"):
        version(manager, label="canary")
    manager.reload(config(m=base_path))
    with pytest.raises(StatusError, match="Unrecognized servable version label: stable"):
        version(manager, label="stable")


def test_labels_ahead_of_their_versions_when_allowed(serve, publish, base_path, until):
    publish(1)
    allowed = {"allow_version_labels_for_unavailable_models": True}
    manager = serve(config({"next": 2}, m=base_path), **allowed)
    with pytest.raises(StatusError, match="Specific"):
        version(manager, label="next")
    publish(2)
    until(lambda: {s.version: s.state for s in manager.status("m")}.get(2) == 30)
    assert version(manager, label="next") == 2
    # Only new labels: moving one to an unavailable version stays an error.
    assert error(manager.reload, config({"next": 3}, m=base_path))[0] == Code.FAILED_PRECONDITION


def test_a_configuration_file_is_followed(
    serve, publish, base_path, other_path, tmp_path, until, caplog
):
    publish(1)
    publish(5, base_path=other_path)
    manager = serve()
    file = tmp_path / "models.config"
    file.write_text("model_config_list { config { name: 'm' ")
    with caplog.at_level(logging.ERROR):
        manager.poll_config(str(file), 0.02)
        until(lambda: "Failed to read ModelServerConfig file: " in caplog.text)
    assert version(manager) == 1
    file.write_text(str(config(m=base_path, n=other_path)))
    until(lambda: "n" in manager._names())
    until(lambda: manager._lifecycle.serving.get("n"))
    assert version(manager, "n") == 5
    assert single_model("a", "/b").model_config_list.config[0].model_platform == "tensorflow"


def test_a_corrected_configuration_file_is_read_while_a_model_is_awaited(
    serve, publish, base_path, other_path, tmp_path, until, caplog
):
    publish(1)
    manager = serve()
    file = tmp_path / "models.config"
    file.write_text(str(config(m=base_path, n=other_path)))  # which holds no version yet
    manager.poll_config(str(file), 0.02)
    until(lambda: "n" in manager._names())
    good = tmp_path / "good"
    good.mkdir()
    publish(5, base_path=good)
    file.write_text(str(config(m=base_path, n=good)))
    until(lambda: manager._lifecycle.serving.get("n"))
    assert version(manager, "n") == 5
    assert "Failed to apply" not in caplog.text
