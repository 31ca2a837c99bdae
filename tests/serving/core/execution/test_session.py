import gc
import itertools
import math
import time

import numpy as np
import pytest
import tensorflow as tf

from vae_tf_serving.core.execution import session as session_module
from vae_tf_serving.core.execution.servable import Servable, ServableOptions, SharedThreads
from vae_tf_serving.core.execution.session import SavedModelSession
from vae_tf_serving.status import Code, StatusError


@pytest.fixture(scope="module")
def session(saved_models):
    session = SavedModelSession(saved_models[2])
    yield session
    session.close()


def names(session, key):
    signature = session.meta_graph.signature_def[key]
    inputs = {alias: info.name for alias, info in signature.inputs.items()}
    return inputs, {alias: info.name for alias, info in signature.outputs.items()}


def run(session, key, timeout_ms=None, **inputs):
    feeds, fetches = names(session, key)
    fed = {feeds[alias]: value for alias, value in inputs.items()}
    values = session.run(fed, list(fetches.values()), timeout_ms)
    return dict(zip(fetches, values, strict=True))


def _example(text):
    """A batch of one serialised Example, `text` in a feature that the model does not read."""
    example = tf.train.Example()
    example.features.feature["a"].float_list.value.extend([1, 2])
    example.features.feature["b"].bytes_list.value.append(text)
    return np.array([example.SerializeToString()], object)


def test_computes_what_the_graph_says(session):
    x = np.float32([[1, 2], [3, 4]])
    answer = run(session, "serving_default", x=x)
    np.testing.assert_array_equal(answer["y"], 2 * x)
    np.testing.assert_array_equal(answer["total"], [3, 7])


def test_declared_shapes_are_not_checked(session):
    # The placeholder is declared [None, 2]; elementwise operations take any width.
    x = np.ones([4, 3], np.float32)
    np.testing.assert_array_equal(run(session, "serving_default", x=x)["y"], 2 * x)


def test_dtype_error_has_the_words_of_the_runtime(session):
    with pytest.raises(StatusError) as caught:
        run(session, "serving_default", x=np.ones([1, 2]))
    assert caught.value.code == Code.INVALID_ARGUMENT
    assert "to be float but double is provided" in caught.value.message


def test_shape_error_is_that_of_the_operation(session):
    with pytest.raises(StatusError) as caught:
        run(session, "matmul", x=np.ones([1, 3], np.float32))
    assert caught.value.code == Code.INVALID_ARGUMENT
    assert "Matrix size-incompatible: In[0]: [1,3], In[1]: [2,1]" in caught.value.message


def test_init_op_signature_is_listed_and_answers_out_of_range(session):
    with pytest.raises(StatusError) as caught:
        run(session, "__saved_model_init_op")
    assert caught.value.code == Code.OUT_OF_RANGE
    assert caught.value.message == (
        "Node 'NoOp' (type: 'NoOp', num of outputs: 0) does not have output 0"
    )


def test_a_run_that_takes_too_long_is_stopped(session):
    x = np.ones([1, 2], np.float32)
    run(session, "slow", x=x, n=np.int64([1]))
    started = time.monotonic()
    with pytest.raises(StatusError) as caught:
        run(session, "slow", timeout_ms=100, x=x, n=np.int64([10**9]))
    assert time.monotonic() - started < 5
    assert caught.value.code == Code.DEADLINE_EXCEEDED
    assert caught.value.message == "Timed out waiting for notification"


def test_expected_seconds_are_those_of_the_shortest_recent_run(session):
    x = np.ones([3, 2], np.float32)
    outputs = list(names(session, "serving_default")[1].values())
    session._min_seconds.clear()
    assert session.expected_seconds(x.nbytes, outputs) == math.inf
    started = time.monotonic()
    run(session, "serving_default", x=x)
    assert 0 < session.expected_seconds(x.nbytes, outputs) <= time.monotonic() - started
    assert session.expected_seconds(100 * x.nbytes, outputs) == math.inf

    session._min_seconds.update(
        dict.fromkeys(session._min_seconds, 60.0)
    )  # as if it had been held up
    run(session, "serving_default", x=x)
    assert session.expected_seconds(x.nbytes, outputs) < 10

    run(session, "slow", x=x, n=np.int64([1]))
    assert session.expected_seconds(x.nbytes + 8, [*names(session, "slow")[1].values()]) == math.inf


def test_a_large_run_has_a_timer_even_if_small_ones_were_short(session, monkeypatch):
    timed, options = [], session_module._timed_options
    monkeypatch.setattr(
        session_module, "_timed_options", lambda ms: timed.append(ms) or options(ms)
    )
    session._max_seconds.clear()
    for x in (np.ones([1, 2], np.float32), np.ones([1000, 2], np.float32)):
        del timed[:]
        for _ in range(2):
            run(session, "serving_default", timeout_ms=60_000, x=x)
        assert len(timed) == 1, x.shape
    for inputs in (_example(b"abc"), _example(b"abc" * 1000)):
        del timed[:]
        for _ in range(2):
            run(session, "classify", timeout_ms=60_000, inputs=inputs)
        assert len(timed) == 1


def test_kinds_of_runs_are_limited(session, monkeypatch):
    monkeypatch.setattr(session_module, "_MAX_KINDS", 3)
    for rows in range(20):
        run(session, "serving_default", x=np.ones([2**rows, 2], np.float32))
    assert len(session._max_seconds) <= 3


def test_what_is_no_saved_model(tmp_path, saved_models):
    def error(path, **arguments):
        with pytest.raises(StatusError) as caught:
            SavedModelSession(path, **arguments)
        return caught.value

    assert error(tmp_path).code == Code.NOT_FOUND
    assert "does not appear to contain a SavedModel bundle" in error(tmp_path).message
    (tmp_path / "saved_model.pb").write_bytes(b"\xff\xff junk")
    assert error(tmp_path).code == Code.DATA_LOSS
    wrong_tags = error(saved_models[1], tags=["serve", "gpu"])
    assert wrong_tags.code == Code.NOT_FOUND
    assert "matching supplied tags: { serve gpu }" in wrong_tags.message


def test_missing_variables_are_an_error(tmp_path, saved_models):
    (tmp_path / "saved_model.pb").write_bytes((saved_models[1] / "saved_model.pb").read_bytes())
    with pytest.raises(StatusError) as caught:
        SavedModelSession(tmp_path)
    assert str(tmp_path) in caught.value.message


def test_loading_leaves_nothing_behind(saved_models):
    """Neither Python objects nor memory: the graph and the session are gone when it is closed."""
    shared = SharedThreads(ServableOptions())
    x = np.ones([1, 2], np.float32)

    def load(times):
        for _ in range(times):
            servable = Servable("m", 1, saved_models[1], shared)
            signature = servable.signatures["serving_default"]
            outputs = list(signature.outputs.values())
            servable.submit({signature.inputs["x"]: x}, outputs).result(20)
            servable.close()
            del servable
        gc.collect()
        graphs = sum(isinstance(thing, tf.Graph) for thing in gc.get_objects())
        with open("/proc/self/statm") as file:
            return graphs, int(file.read().split()[1]) * 4096

    measured = [load(3), *(load(12) for _ in range(3))]
    shared.close()
    assert len({graphs for graphs, _ in measured}) == 1
    # The allocator takes memory in leaps; what is left behind is left each time.
    resident = [bytes_held for _, bytes_held in measured]
    assert min(after - before for before, after in itertools.pairwise(resident)) < 8e6
