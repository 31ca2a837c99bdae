import threading
import time

import numpy as np
import pytest

from vae_tf_serving.core.batching.dynamic_batcher import RowBatcher
from vae_tf_serving.core.batching.event_loop_collector import Gathering
from vae_tf_serving.core.batching.options import BatchingOptions
from vae_tf_serving.core.batching.shared_scheduler import BatchQueue, BatchThreads
from vae_tf_serving.core.batching.task import Task
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.status import Code, StatusError


def never_short(tasks):
    return False


class Model:
    """Doubles its rows; waits at a gate, and remembers the batches it has seen."""

    def __init__(self):
        self.gate = threading.Event()
        self.gate.set()
        self.sizes = []
        self.started = threading.Semaphore(0)

    def __call__(self, inputs, outputs, deadline):
        self.sizes.append(len(inputs["x"]))
        self.started.release()
        assert self.gate.wait(20)
        return [2 * inputs["x"] for _ in outputs]

    def shut(self, submit):
        """Holds one lone request in the model, so that all others queue."""
        self.gate.clear()
        held = submit(task(1, width=9))
        assert self.started.acquire(timeout=20)
        return held


def task(rows, width=2, value=0.0, deadline=None):
    made = Task({"x": np.full([rows, width], value, np.float32)}, ("y",), deadline)
    made.rows = rows
    return made


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def queue(model):
    """queue(**options) gives what submits a task to a queue of one thread."""
    made = []

    def queue(**options):
        options = BatchingOptions(**{"num_batch_threads": 1, **options})
        options.check()
        threads = BatchThreads(options.num_batch_threads)
        made.append((threads, BatchQueue(options, threads, model, Observer())))

        def submit(task):
            made[-1][1].submit(task)
            return task.answer

        return submit

    yield queue
    model.gate.set()
    for threads, batches in made:
        threads.remove(batches)
        threads.close()


@pytest.fixture
def row_batcher(model):
    made = []

    def row_batcher(max_rows=64, max_waiting=100):
        made.append(RowBatcher(model, never_short, Observer(), max_rows, max_waiting))

        def submit(task):
            made[-1].submit(task)
            return task.answer

        return submit

    yield row_batcher
    model.gate.set()
    for batcher in made:
        batcher.close()


def check(futures, values):
    for future, value in zip(futures, values, strict=True):
        assert (future.result(20)[0] == 2 * value).all()


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
    threads = BatchThreads(2)
    queue = BatchQueue(options, threads, run, Observer())
    time.sleep(0.1)  # both threads wait for work
    large = task(8, value=1)
    queue.submit(large)
    check([large.answer], [1])
    threads.remove(queue)
    threads.close()


def test_a_queue_that_is_removed_takes_no_call_to_work_from_another():
    model, held = Model(), Model()
    options = BatchingOptions(num_batch_threads=2)
    threads = BatchThreads(2)
    queue, leaving = (BatchQueue(options, threads, run, Observer()) for run in (model, held))
    held.shut(lambda task: leaving.submit(task))
    removing = threading.Thread(target=threads.remove, args=[leaving])
    removing.start()
    for value in range(4):
        time.sleep(0.05)
        asked = task(1, value=value)
        queue.submit(asked)
        assert (asked.answer.result(5)[0] == 2 * value).all()
    held.gate.set()
    removing.join(20)
    threads.remove(queue)
    threads.close()


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


def test_row_batcher_drains_what_waits_up_to_its_cap(model, row_batcher):
    submit = row_batcher(max_rows=4)
    model.shut(submit)
    futures = [submit(task(rows, value=rows)) for rows in (1, 2, 1, 3, 9)]
    model.gate.set()
    check(futures, (1, 2, 1, 3, 9))
    assert model.sizes == [1, 4, 3, 9]


def test_row_batcher_serves_kinds_in_turn(model, row_batcher):
    submit = row_batcher(max_rows=1)
    model.shut(submit)
    order = []
    for width in (2, 2, 2, 3):
        made = task(1, width)
        made.answer.add_done_callback(lambda _, width=width: order.append(width))
        submit(made)
    model.gate.set()
    check([submit(task(1))], [0])
    assert order == [2, 3, 2, 2]


def test_row_batcher_is_bounded(model, row_batcher):
    submit = row_batcher(max_waiting=3)
    model.shut(submit)
    futures = [submit(task(1)) for _ in range(3)]
    with pytest.raises(StatusError) as caught:
        submit(task(1))
    assert caught.value.code == Code.UNAVAILABLE
    model.gate.set()
    check(futures, (0, 0, 0))


def test_row_batcher_answers_all_before_it_closes(model):
    batcher = RowBatcher(model, never_short, Observer(), 64, 100)
    tasks = [task(1, value=i) for i in range(50)]
    for each in tasks:
        batcher.submit(each)
    batcher.close()
    assert all(each.answer.done() for each in tasks)
    check([each.answer for each in tasks], range(50))


class Turn:
    """An event loop's turn: what is to be called when it ends, and after those that bring nothing."""

    def __init__(self):
        self.calls = []
        self.gathering = Gathering(self.calls.append)

    def end(self):
        while self.calls:
            self.calls.pop()()


@pytest.fixture
def gathered(model):
    """gathered(is_short, **options) is (turn, what submits a task in it)."""
    made = []

    def gathered(is_short, max_rows=64, max_waiting=100):
        turn = Turn()
        batcher = RowBatcher(model, is_short, Observer(), max_rows, max_waiting)
        made.append(batcher)

        def submit(task):
            batcher.submit(task, turn.gathering)
            return task.answer

        return turn, submit

    yield gathered
    model.gate.set()
    for batcher in made:
        batcher.close()


def test_a_turn_of_the_loop_is_one_batch_run_in_the_loop(model, gathered):
    asked = []
    turn, submit = gathered(lambda tasks: asked.append(len(tasks)) or True, max_rows=4)
    for values in ((1, 2, 3), (4,)):
        answers = [submit(task(1, value=value)) for value in values]
        wide = submit(task(2, width=3, value=5))
        large = submit(task(4, value=6))
        assert not model.sizes
        assert len(turn.calls) == 1
        turn.end()
        assert all(answer.done() for answer in [*answers, wide, large])
        check([*answers, wide, large], (*values, 5, 6))
        assert asked == [len(values), 1, 1]
        assert model.sizes == [len(values), 2, 4]
        del model.sizes[:], asked[:]


def test_the_loop_does_not_wait_for_a_long_run(model, gathered):
    turn, submit = gathered(lambda tasks: False)
    model.gate.clear()
    answers = [submit(task(1, value=value)) for value in (1, 2)]
    turn.end()
    assert not any(answer.done() for answer in answers)
    model.gate.set()
    check(answers, (1, 2))


def test_what_a_turn_brings_too_much_is_refused(model, gathered):
    turn, submit = gathered(lambda tasks: False, max_waiting=2)
    model.gate.clear()
    held = submit(task(1, width=9))
    turn.end()
    assert model.started.acquire(timeout=20)
    answers = [submit(task(1, value=value)) for value in range(4)]
    turn.end()
    assert [answer.exception(0).code for answer in answers[2:]] == [Code.UNAVAILABLE] * 2
    model.gate.set()
    check([held, *answers[:2]], (0, 0, 1))
