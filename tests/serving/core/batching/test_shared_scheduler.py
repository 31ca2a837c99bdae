import threading
import time

import numpy as np
import pytest

from tests.serving.core.batching.doubler import Doubler, check, task
from vae_tf_serving.core.batching.options import BatchingOptions
from vae_tf_serving.core.batching.shared_scheduler import BatchQueue, SharedScheduler
from vae_tf_serving.core.batching.task import Task
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.status import Code, StatusError


@pytest.fixture
def queue(model):
    """queue(**options) gives what submits a task to a queue of one thread."""
    made = []

    def queue(**options):
        options = BatchingOptions(**{"num_batch_threads": 1, **options})
        options.check()
        scheduler = SharedScheduler(options.num_batch_threads)
        made.append((scheduler, BatchQueue(options, scheduler, model, Observer())))

        def submit(task):
            made[-1][1].submit(task)
            return task.future

        return submit

    yield queue
    model.gate.set()
    for scheduler, batches in made:
        scheduler.remove(batches)
        scheduler.close()


def test_what_waits_is_one_batch_padded_to_an_allowed_size(model, queue):
    submit = queue(max_batch_size=8, allowed_batch_sizes=(1, 4, 8))
    held = model.shut(submit)
    futures = [submit(task(1, value=i)) for i in range(3)]
    model.gate.set()
    check(futures, range(3))
    assert held.result(20)[0].shape == (1, 9)
    assert futures[0].result()[0].shape == (1, 2)
    assert model.sizes == [1, 4]


def test_a_batch_never_exceeds_its_size(model, queue):
    submit = queue(max_batch_size=4)
    model.shut(submit)
    futures = [submit(task(rows, value=rows)) for rows in (3, 2, 2, 4)]
    model.gate.set()
    check(futures, (3, 2, 2, 4))
    assert model.sizes == [1, 3, 4, 4]


def test_full_queue_and_large_task_have_upstreams_words(model, queue):
    submit = queue(max_batch_size=4, max_enqueued_batches=1)
    with pytest.raises(StatusError) as caught:
        submit(task(5))
    assert caught.value.code == Code.INVALID_ARGUMENT
    assert caught.value.message == "Task size 5 is larger than maximum input batch size 4"
    model.shut(submit)
    futures = [submit(task(2)), submit(task(2))]
    with pytest.raises(StatusError) as caught:
        submit(task(1))
    assert caught.value.code == Code.UNAVAILABLE
    assert caught.value.message == (
        "The batch scheduling queue to which this task was submitted is full; currently 1 batches "
        "enqueued and max_enqueued_batches is 1"
    )
    model.gate.set()
    check(futures, (0, 0))


def test_an_unfull_batch_waits_for_its_timeout_and_a_full_one_does_not(model, queue):
    submit = queue(max_batch_size=2, batch_timeout_micros=300_000)
    started = time.monotonic()
    check([submit(task(1))], [0])
    assert time.monotonic() - started >= 0.3
    started = time.monotonic()
    check([submit(task(1)), submit(task(1))], [0, 0])
    assert time.monotonic() - started < 0.3
    assert model.sizes == [1, 2]


def test_other_shapes_and_dtypes_are_other_batches(model, queue):
    submit = queue()
    model.shut(submit)
    double = task(1, value=3)
    double.inputs = {"x": double.inputs["x"].astype(np.float64)}
    futures = [submit(task(1, 2, 1)), submit(task(1, 3, 2)), submit(double), submit(task(1, 2, 4))]
    model.gate.set()
    check(futures, (1, 2, 3, 4))
    assert sorted(model.sizes) == [1, 1, 1, 2]
    assert futures[2].result()[0].dtype == np.float64


def test_variable_lengths_are_padded_on_request(model, queue):
    submit = queue(pad_variable_length_inputs=True)
    model.gate.clear()
    submit(Task_of_rank_one())
    assert model.started.acquire(timeout=20)
    futures = [submit(task(1, 2, 1)), submit(task(1, 3, 2))]
    model.gate.set()
    assert [future.result(20)[0].tolist() for future in futures] == [[[2, 2, 2]], [[4, 4, 4]]]


def Task_of_rank_one():  # noqa: N802
    made = Task({"x": np.ones(1, np.float32)}, ("y",))
    made.rows = 1
    return made


def test_large_requests_are_split_and_joined(model, queue):
    submit = queue(
        max_batch_size=20,
        enable_large_batch_splitting=True,
        max_execution_batch_size=4,
        max_enqueued_batches=4,
    )
    model.shut(submit)
    small = submit(task(1, value=1))
    large = task(10)
    large.inputs["x"][:] = np.arange(10)[:, np.newaxis]
    future = submit(large)
    with pytest.raises(StatusError, match="task size is 9 but scheduling capacity is only 5"):
        submit(task(9))
    model.gate.set()
    np.testing.assert_array_equal(future.result(20)[0], 2 * large.inputs["x"])
    check([small], [1])
    assert model.sizes == [1, 4, 4, 3]


def test_parts_of_a_large_request_run_at_the_same_time():
    both = threading.Barrier(2)

    def run(inputs, outputs, deadline):
        both.wait(10)
        return [2 * inputs["x"]]

    options = BatchingOptions(
        num_batch_threads=2,
        max_batch_size=8,
        enable_large_batch_splitting=True,
        max_execution_batch_size=4,
    )
    scheduler = SharedScheduler(2)
    queue = BatchQueue(options, scheduler, run, Observer())
    time.sleep(0.1)  # both threads wait for work
    large = task(8, value=1)
    queue.submit(large)
    check([large.future], [1])
    scheduler.remove(queue)
    scheduler.close()


def test_a_queue_that_is_removed_does_not_consume_the_notification_of_another():
    model, held = Doubler(), Doubler()
    options = BatchingOptions(num_batch_threads=2)
    scheduler = SharedScheduler(2)
    queue, leaving = (BatchQueue(options, scheduler, run, Observer()) for run in (model, held))
    held.shut(lambda task: leaving.submit(task))
    removing = threading.Thread(target=scheduler.remove, args=[leaving])
    removing.start()
    for value in range(4):
        time.sleep(0.05)
        made = task(1, value=value)
        queue.submit(made)
        assert (made.future.result(5)[0] == 2 * value).all()
    held.gate.set()
    removing.join(20)
    scheduler.remove(queue)
    scheduler.close()


def test_a_task_past_its_deadline_has_upstreams_words(model, queue):
    submit = queue()
    model.shut(submit)
    future = submit(task(1, deadline=time.monotonic() + 0.01))
    time.sleep(0.02)
    model.gate.set()
    assert future.exception(20).code == Code.RESOURCE_EXHAUSTED
    assert future.exception().message == "Run() timeout exceeded while waiting in batching queue"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"max_batch_size": 8, "allowed_batch_sizes": (2, 4)},
            "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 4; "
            "expected 8",
        ),
        (
            {"max_batch_size": 4, "allowed_batch_sizes": (2, 2, 4)},
            "allowed_batch_sizes entries must be monotonically increasing",
        ),
        ({"batch_timeout_micros": -1}, "batch_timeout_micros must be non-negative; was -1"),
        ({"num_batch_threads": 0}, "num_batch_threads must be positive; was 0"),
    ],
)
def test_contradicting_parameters(options, message):
    with pytest.raises(StatusError) as caught:
        BatchingOptions(**options).check()
    assert caught.value.code == Code.INVALID_ARGUMENT
    assert caught.value.message == message
