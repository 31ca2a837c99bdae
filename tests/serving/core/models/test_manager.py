import logging
import shutil
import threading
import time

import numpy as np
import pytest

from vae_tf_serving.core.config.config_checks import single_model
from vae_tf_serving.core.models.manager import ModelManager
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.core.requests.predict import predict
from vae_tf_serving.status import Code, StatusError

X = np.float32([[1, 2]])


def states(manager, name="m"):
    try:
        found = manager.status(name)
    except StatusError:
        return {}
    return {s.version: s.State.Name(s.state) for s in found}


def available(manager, name="m"):
    return [number for number, state in states(manager, name).items() if state == "AVAILABLE"]


def scale(manager, **which):
    with manager.servable_handle("m", **which) as servable:
        return predict(servable, "", {"x": X}).result(20)["y"][0, 0]


def error(call, *arguments, **named):
    def enter():
        value = call(*arguments, **named)
        if hasattr(value, "__enter__"):
            value.__enter__()

    with pytest.raises(StatusError) as caught:
        enter()
    return caught.value.code, caught.value.message


def policy(base_path, latest=None, specific=(), everything=False):
    config = single_model("m", str(base_path))
    versions = config.model_config_list.config[0].model_version_policy
    if latest is not None:
        versions.latest.num_versions = latest
    elif everything:
        versions.all.SetInParent()
    else:
        versions.specific.versions.extend(specific)
    return config


def test_a_version_that_appears_replaces_the_old_one(serve, publish, until):
    publish(1, 1)
    manager = serve()
    assert scale(manager) == 1
    publish(2, 2)
    until(lambda: states(manager) == {2: "AVAILABLE", 1: "END"})
    assert scale(manager) == 2
    assert error(manager.servable_handle, "m", version=1) == (
        Code.NOT_FOUND,
        "Servable not found for request: Specific(m, 1)",
    )


def test_the_old_version_serves_until_the_new_one_does(serve, publish, until):
    order = []

    class Recorder(Observer):
        def state_changed(self, name, version, state, error):
            order.append((version, state.name))

    publish(1)
    manager = serve(observer=Recorder())
    publish(2, 2)
    until(lambda: states(manager).get(1) == "END")
    of_both = order.index((2, "AVAILABLE")), order.index((1, "UNLOADING"))
    assert of_both[0] < of_both[1]
    life = ["START", "LOADING", "AVAILABLE", "UNLOADING", "END"]
    assert [state for version, state in order if version == 1] == life


def test_a_request_under_way_holds_its_version(serve, publish, until):
    publish(1, 1)
    manager = serve()
    with manager.servable_handle("m") as servable:
        publish(2, 2)
        until(lambda: states(manager) == {2: "AVAILABLE", 1: "UNLOADING"})
        assert scale(manager) == 2
        assert predict(servable, "", {"x": X}).result(20)["y"][0, 0] == 1
        assert states(manager)[1] == "UNLOADING"
    until(lambda: states(manager)[1] == "END")


@pytest.mark.parametrize(
    ("choice", "served"),
    [
        ({"latest": 0}, [3]),
        ({"latest": 2}, [3, 2]),
        ({"everything": True}, [3, 2, 1]),
        ({"specific": [1, 3, 7]}, [3, 1]),
    ],
)
def test_policies(serve, publish, base_path, until, choice, served):
    for version in (1, 2, 3):
        publish(version, version)
    (base_path / "notes.txt").write_text("no version")
    manager = serve(policy(base_path, **choice))
    until(lambda: available(manager) == served)
    assert scale(manager) == 3
    assert scale(manager, version=served[-1]) == served[-1]


def test_the_number_of_a_directory_counts_not_its_spelling(serve, publish, base_path, caplog):
    publish("0002", 2)
    publish("2", 1)
    with caplog.at_level(logging.WARNING):
        manager = serve()
    assert available(manager) == [2]
    assert scale(manager) == 1
    assert "Duplicate version directories detected" in caplog.text


def test_deleting_versions(serve, publish, base_path, until):
    publish(1, 1)
    publish(2, 2)
    manager = serve()
    shutil.rmtree(base_path / "2")
    until(lambda: states(manager) == {2: "END", 1: "AVAILABLE"})
    assert scale(manager) == 1
    shutil.rmtree(base_path / "1")
    until(lambda: states(manager) == {2: "END", 1: "END"})
    assert error(manager.servable_handle, "m") == (
        Code.NOT_FOUND,
        "Servable not found for request: Latest(m)",
    )
    publish(1, 3)
    until(lambda: available(manager) == [1])
    assert scale(manager) == 3


def test_a_lost_base_path_unloads_nothing(serve, publish, base_path, until):
    publish(1)
    manager = serve()
    base_path.rename(base_path.with_name("away"))
    time.sleep(0.1)
    assert available(manager) == [1]
    base_path.with_name("away").rename(base_path)
    publish(2, 2)
    until(lambda: available(manager) == [2])


def test_a_broken_version_leaves_the_old_one_serving(serve, publish, base_path, until):
    publish(1)
    attempts = []

    class Recorder(Observer):
        def load_attempted(self, name, version, seconds, error):
            attempts.append((version, error.code.name if error else "OK"))

    manager = serve(max_num_load_retries=2, observer=Recorder())
    (base_path / "2").mkdir()
    until(lambda: states(manager).get(2) == "END")
    time.sleep(0.1)
    assert attempts == [(1, "OK")] + [(2, "NOT_FOUND")] * 3
    assert available(manager) == [1]
    assert scale(manager) == 1
    (status,) = manager.status("m", 2)
    assert status.status.error_code == Code.NOT_FOUND
    assert "saved_model.pb" in status.status.error_message
    # Kept for good, the error must not hold on to what the attempt had read.
    assert manager._lifecycle.records.of("m")[2][1].__traceback__ is None
    # The same number is not tried again, another one is.
    shutil.rmtree(base_path / "2")
    publish(2, 2)
    time.sleep(0.1)
    assert available(manager) == [1]
    publish(3, 3)
    until(lambda: available(manager) == [3])


def test_a_version_completed_between_retries_loads(serve, publish, base_path, until, saved_models):
    publish(1)
    manager = serve(load_retry_interval_micros=300_000)
    (base_path / "2").mkdir()
    until(lambda: states(manager).get(2) == "LOADING")
    shutil.copytree(saved_models[2], base_path / "2", dirs_exist_ok=True)
    until(lambda: available(manager) == [2])


def test_a_file_named_like_a_version(serve, publish, base_path, until):
    publish(1)
    manager = serve(max_num_load_retries=0)
    (base_path / "4").write_text("junk")
    until(lambda: states(manager).get(4) == "END")
    assert manager.status("m", 4)[0].status.error_code == Code.FAILED_PRECONDITION


def test_start_up_fails_with_the_first_version_that_does(serve, publish, base_path):
    publish(2)
    (base_path / "1").mkdir()
    manager = serve(policy(base_path, everything=True), wait=False, max_num_load_retries=0)
    code, message = error(manager.wait_until_available)
    assert code == Code.UNKNOWN
    assert message.startswith(
        "1 servable(s) did not become available: {{{name: m version: 1} due to error: NOT_FOUND: "
    )
    assert message.endswith("}, }")


def test_start_up_waits_for_a_version_and_can_be_stopped(serve, publish, base_path, until):
    manager = serve(wait=False)
    ended = []
    thread = threading.Thread(target=lambda: ended.append(error(manager.wait_until_available)))
    thread.start()
    time.sleep(0.05)
    assert thread.is_alive()
    manager.stop()
    thread.join(20)
    assert ended == [(Code.CANCELLED, "The server is being stopped.")]


def test_status_of_what_is_unknown(serve, publish):
    publish(1)
    manager = serve()
    assert error(manager.status, "n") == (
        Code.NOT_FOUND,
        "Could not find any versions of model n",
    )
    assert error(manager.status, "m", 9) == (
        Code.NOT_FOUND,
        "Could not find version 9 of model m",
    )
    assert error(manager.servable_handle, "n") == (
        Code.NOT_FOUND,
        "Servable not found for request: Latest(n)",
    )


def test_versions_and_labels(serve, publish, base_path, until):
    publish(1, 1)
    publish(2, 2)
    config = policy(base_path, latest=2)
    config.model_config_list.config[0].version_labels["old"] = 1
    manager = serve(config, allow_version_labels_for_unavailable_models=True)
    until(lambda: available(manager) == [2, 1])

    def version(**which):
        with manager.servable_handle("m", **which) as servable:
            return servable.version

    assert version() == 2
    assert version(version=1) == 1
    assert version(label="old") == 1
    for label in ("new", ""):
        assert error(manager.servable_handle, "x", label=label) == (
            Code.INVALID_ARGUMENT,
            f"Unrecognized servable version label: {label}",
        )


def test_no_request_fails_and_none_is_mixed_under_swaps(serve, publish, base_path, until):
    """Each answer is wholly of one version, whichever it is."""
    publish(1, 1)
    manager = serve()
    done, failures, answers = threading.Event(), [], [0]

    def client():
        x = np.ones([3, 2], np.float32)
        while not done.is_set():
            try:
                with manager.servable_handle("m") as servable:
                    y = predict(servable, "", {"x": x}).result(20)["y"]
                expected = (servable.version - 1) % 3 + 1
                if not (y == expected).all():
                    failures.append(y)
                answers[0] += 1
            except StatusError as failure:
                failures.append(failure)
            time.sleep(0.001)

    clients = [threading.Thread(target=client) for _ in range(4)]
    for thread in clients:
        thread.start()
    for version in range(2, 8):
        publish(version, (version - 1) % 3 + 1, row_wise=True)
        until(lambda version=version: available(manager) == [version])
    done.set()
    for thread in clients:
        thread.join()
    assert not failures
    assert answers[0] > 100


def test_stop_answers_what_is_under_way(publish, base_path):
    publish(1)
    manager = ModelManager(single_model("m", str(base_path)))
    manager.start()
    manager.wait_until_available()
    with manager.servable_handle("m") as servable:
        stopping = threading.Thread(target=manager.stop)
        stopping.start()
        time.sleep(0.05)
        assert predict(servable, "", {"x": X}).result(20)["y"].shape == (1, 2)
    stopping.join(20)
    assert not stopping.is_alive()
    assert states(manager) == {1: "END"}
