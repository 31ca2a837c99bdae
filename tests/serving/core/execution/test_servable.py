import gc
import itertools
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vae_tf_serving.core.batching.options import BatchingOptions
from vae_tf_serving.core.execution.servable import Servable, ServableOptions, SharedThreads
from vae_tf_serving.core.requests.predict import predict
from vae_tf_serving.status import Code, StatusError

ONE = np.ones([1, 2], np.float32)


@pytest.fixture
def load(publish):
    """load(row_wise, **options) is a servable, closed at the end."""
    made = []
    number = itertools.count(1)

    def load(row_wise=False, scale=2, own_parameters=None, **options):
        path = publish(next(number), scale, row_wise)
        if own_parameters is not None:
            (path / "batching_params.pbtxt").write_text(own_parameters)
        shared = SharedThreads(ServableOptions(**options))
        servable = Servable("m", 1, path, shared)
        made.append((servable, shared))
        return servable

    yield load
    for servable, shared in made:
        servable.close()
        shared.close()


BATCHED = {"batching": BatchingOptions(max_batch_size=16, allowed_batch_sizes=(1, 3, 16))}


@pytest.mark.parametrize(
    ("row_wise", "options"),
    [(False, {}), (True, {}), (False, BATCHED)],
    ids=["alone", "rows", "flag"],
)
def test_rows_alone_equal_rows_among_others(load, row_wise, options):
    servable = load(row_wise, **options)
    rng = np.random.default_rng(0)
    requests = [rng.normal(size=(n, 2)).astype(np.float32) for n in rng.integers(1, 6, 200)]

    def ask(x):
        answer = predict(servable, "", {"x": x}).result(20)
        np.testing.assert_array_equal(answer["y"], 2 * x)
        np.testing.assert_allclose(answer["total"], x.sum(axis=1), rtol=1e-6)

    with ThreadPoolExecutor(16) as clients:
        list(clients.map(ask, requests))


def test_only_a_model_that_says_so_is_batched(load):
    """`mean` mixes rows: batched, it would answer with the mean of all requests."""
    servable = load(row_wise=False)
    values = np.arange(60, dtype=np.float32)
    futures = [predict(servable, "mean", {"x": np.full([1, 2], value)}) for value in values]
    assert [future.result(20)["mean"] for future in futures] == values.tolist()
    assert not servable.row_wise
    assert load(row_wise=True).row_wise


def test_a_model_that_says_so_wrongly_still_answers_right_where_it_can_be_seen(load):
    servable = load(row_wise=True)
    futures = [predict(servable, "mean", {"x": np.full([1, 2], v, np.float32)}) for v in range(40)]
    # A scalar output cannot be cut into rows: a batch of several is run again, one by one.
    assert [future.result(20)["mean"] for future in futures] == list(range(40))


def test_bad_requests_do_not_fail_their_neighbours(load):
    servable = load(row_wise=True)
    wide, good = np.ones([1, 3], np.float32), [np.full([1, 2], i, np.float32) for i in range(30)]
    futures = []
    for x in good:
        futures.append(predict(servable, "matmul", {"x": x}))
        bad = predict(servable, "matmul", {"x": wide})
        odd = predict(servable, "matmul", {"x": np.ones([1, 2])})
    for i, future in enumerate(futures):
        assert future.result(20)["y"].tolist() == [[4.0 * i]]
    assert "Matrix size-incompatible" in bad.exception(20).message
    assert "to be float but double is provided" in odd.exception(20).message


@pytest.mark.parametrize("options", [{}, BATCHED], ids=["rows", "flag"])
def test_no_rows_are_an_answer_of_no_rows(load, options):
    servable = load(row_wise=True, **options)
    answer = predict(servable, "", {"x": np.ones([0, 2], np.float32)}).result(20)
    assert answer["y"].shape == (0, 2)


def test_batching_wants_rows(load):
    servable = load(**BATCHED)
    for x, words in (
        (np.float32(1), "Batching Run() input tensors must have at least one dimension"),
        (np.ones([20, 2], np.float32), "Task size 20 is larger than maximum input batch size 16"),
    ):
        with pytest.raises(StatusError) as caught:
            predict(servable, "", {"x": np.asarray(x)})
        assert caught.value.message == words
    inputs = {"x": np.ones([2, 2], np.float32), "n": np.int64([1])}
    with pytest.raises(StatusError, match="must have equal 0th-dimension size"):
        predict(servable, "slow", inputs)
    error = predict(servable, "mean", {"x": ONE}).exception(20)
    assert error.code == Code.FAILED_PRECONDITION
    assert error.message == "Batched output tensor has 0 dimensions"


def test_automatic_batching_takes_every_shape(load):
    servable = load(row_wise=True)
    assert predict(servable, "", {"x": np.ones([100, 2], np.float32)}).result(20)["y"].shape == (
        100,
        2,
    )
    inputs = {"x": np.ones([2, 2], np.float32), "n": np.int64([0])}
    assert predict(servable, "slow", inputs).result(20)["y"].shape == (2, 2)


def test_parameters_of_a_model_of_its_own(load):
    options = {"per_model_batching": True, "batching": BatchingOptions()}
    batched = load(own_parameters="max_batch_size { value: 2 }", **options)
    with pytest.raises(StatusError, match="Task size 3 is larger than maximum input batch size 2"):
        predict(batched, "", {"x": np.ones([3, 2], np.float32)})
    assert predict(load(**options), "mean", {"x": ONE}).result(20)["mean"] == 1
    with pytest.raises(StatusError, match="Last entry in allowed_batch_sizes must match"):
        load(own_parameters="allowed_batch_sizes: 4", **options)
    with pytest.raises(StatusError, match="Invalid protobuf file"):
        load(own_parameters="max_batch_size: 8", **options)


@pytest.mark.parametrize("row_wise", [False, True])
def test_deadlines(load, row_wise):
    servable = load(row_wise)
    inputs = {"x": ONE, "n": np.int64([10**9])}
    for deadline in (-1.0, 0.1):
        with pytest.raises(StatusError) as caught:
            predict(servable, "slow", inputs, deadline=time.monotonic() + deadline).result(20)
        assert caught.value.code == Code.DEADLINE_EXCEEDED
        assert caught.value.message == "Timed out waiting for notification"


def test_requests_that_run_alone_wait_in_a_bounded_queue(load):
    servable = load(run_threads=1, max_waiting=2)
    slow = {"x": ONE, "n": np.int64([10**9])}
    end = time.monotonic() + 0.5
    held = [predict(servable, "slow", slow, deadline=end) for _ in range(3)]
    with pytest.raises(StatusError) as caught:
        predict(servable, "", {"x": ONE})
    assert caught.value.code == Code.UNAVAILABLE
    assert {future.exception(20).code for future in held} == {Code.DEADLINE_EXCEEDED}
    assert predict(servable, "", {"x": ONE}).result(20)["y"].shape == (1, 2)


@pytest.mark.parametrize(
    ("row_wise", "options"), [(True, {}), (False, BATCHED)], ids=["rows", "flag"]
)
def test_a_closed_servable_needs_no_collector(publish, row_wise, options):
    """What is alive when a model has been loaded is frozen, so a cycle would stay for good."""
    shared = SharedThreads(ServableOptions(**options))
    servable = Servable("m", 1, publish(1, row_wise=row_wise), shared)
    gone = weakref.ref(servable)
    assert predict(servable, "", {"x": ONE}).result(20)["y"].shape == (1, 2)
    gc.disable()
    try:
        servable.close()
        del servable
        shared.close()
        assert gone() is None
    finally:
        gc.enable()


def test_closing_waits_for_the_run_under_way(load):
    servable = load()
    signature = servable.signatures["slow"]
    feeds = {signature.inputs["x"]: ONE, signature.inputs["n"]: np.int64([30_000])}
    future = servable.submit(feeds, [signature.outputs["y"]])
    while not future.running() and not future.done():
        time.sleep(0.001)
    closing = threading.Thread(target=servable.close)
    closing.start()
    assert np.isfinite(future.result(20)[0]).all()
    closing.join(20)
    with pytest.raises(StatusError, match="Session has been closed"):
        servable.submit(feeds, [signature.outputs["y"]]).result(20)
