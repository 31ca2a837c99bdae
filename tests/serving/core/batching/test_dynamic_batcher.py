import pytest

from tests.serving.core.batching.doubler import check, task
from vae_tf_serving.core.batching.dynamic_batcher import DynamicBatcher
from vae_tf_serving.core.batching.event_loop_collector import EventLoopCollector
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.status import Code, StatusError


def never_short(tasks):
    return False


@pytest.fixture
def dynamic_batcher(model):
    made = []

    def dynamic_batcher(max_rows=64, max_waiting=100):
        made.append(DynamicBatcher(model, never_short, Observer(), max_rows, max_waiting))

        def submit(task):
            made[-1].submit(task)
            return task.future

        return submit

    yield dynamic_batcher
    model.gate.set()
    for batcher in made:
        batcher.close()


def test_waiting_tasks_are_one_batch_up_to_max_rows(model, dynamic_batcher):
    submit = dynamic_batcher(max_rows=4)
    model.shut(submit)
    futures = [submit(task(rows, value=rows)) for rows in (1, 2, 1, 3, 9)]
    model.gate.set()
    check(futures, (1, 2, 1, 3, 9))
    assert model.sizes == [1, 4, 3, 9]


def test_shapes_are_served_round_robin(model, dynamic_batcher):
    submit = dynamic_batcher(max_rows=1)
    model.shut(submit)
    order = []
    for width in (2, 2, 2, 3):
        made = task(1, width)
        made.future.add_done_callback(lambda _, width=width: order.append(width))
        submit(made)
    model.gate.set()
    check([submit(task(1))], [0])
    assert order == [2, 3, 2, 2]


def test_waiting_tasks_are_limited(model, dynamic_batcher):
    submit = dynamic_batcher(max_waiting=3)
    model.shut(submit)
    futures = [submit(task(1)) for _ in range(3)]
    with pytest.raises(StatusError) as caught:
        submit(task(1))
    assert caught.value.code == Code.UNAVAILABLE
    model.gate.set()
    check(futures, (0, 0, 0))


def test_close_completes_all_tasks(model):
    batcher = DynamicBatcher(model, never_short, Observer(), 64, 100)
    tasks = [task(1, value=i) for i in range(50)]
    for each in tasks:
        batcher.submit(each)
    batcher.close()
    assert all(each.future.done() for each in tasks)
    check([each.future for each in tasks], range(50))


class Turn:
    """One turn of an event loop, and the turns after it that bring nothing."""

    def __init__(self):
        self.calls = []
        self.collector = EventLoopCollector(self.calls.append)

    def end(self):
        while self.calls:
            self.calls.pop()()


@pytest.fixture
def collected(model):
    """collected(is_short, **options) is (turn, a function that submits a task in it)."""
    made = []

    def collected(is_short, max_rows=64, max_waiting=100):
        turn = Turn()
        batcher = DynamicBatcher(model, is_short, Observer(), max_rows, max_waiting)
        made.append(batcher)

        def submit(task):
            batcher.submit(task, turn.collector)
            return task.future

        return turn, submit

    yield collected
    model.gate.set()
    for batcher in made:
        batcher.close()


def test_a_turn_of_the_loop_is_one_batch_run_in_the_loop(model, collected):
    sizes = []
    turn, submit = collected(lambda tasks: sizes.append(len(tasks)) or True, max_rows=4)
    for values in ((1, 2, 3), (4,)):
        futures = [submit(task(1, value=value)) for value in values]
        wide = submit(task(2, width=3, value=5))
        large = submit(task(4, value=6))
        assert not model.sizes
        assert len(turn.calls) == 1
        turn.end()
        assert all(future.done() for future in [*futures, wide, large])
        check([*futures, wide, large], (*values, 5, 6))
        assert sizes == [len(values), 1, 1]
        assert model.sizes == [len(values), 2, 4]
        del model.sizes[:], sizes[:]


def test_the_loop_does_not_wait_for_a_long_run(model, collected):
    turn, submit = collected(lambda tasks: False)
    model.gate.clear()
    futures = [submit(task(1, value=value)) for value in (1, 2)]
    turn.end()
    assert not any(future.done() for future in futures)
    model.gate.set()
    check(futures, (1, 2))


def test_tasks_of_a_turn_beyond_the_limit_are_refused(model, collected):
    turn, submit = collected(lambda tasks: False, max_waiting=2)
    model.gate.clear()
    held = submit(task(1, width=9))
    turn.end()
    assert model.started.acquire(timeout=20)
    futures = [submit(task(1, value=value)) for value in range(4)]
    turn.end()
    assert [future.exception(0).code for future in futures[2:]] == [Code.UNAVAILABLE] * 2
    model.gate.set()
    check([held, *futures[:2]], (0, 0, 1))
