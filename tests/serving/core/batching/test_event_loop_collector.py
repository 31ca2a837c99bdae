"""How many turns of its loop a batch is gathered for."""

from collections import deque

import pytest

from vae_tf_serving.core.batching import event_loop_collector as gathering
from vae_tf_serving.core.batching.event_loop_collector import Gathering


class Loop:
    """Turns on demand; also the batcher that is told of the batches."""

    def __init__(self):
        self.due = deque()
        self.batches = []
        self.gathering = Gathering(self.due.append)

    def arrive(self, count=1):
        for number in range(count):
            self.gathering.add(self, number)

    def turn(self):
        for _ in range(len(self.due)):
            self.due.popleft()()

    def take(self, tasks):
        self.batches.append(len(tasks))


@pytest.fixture
def loop():
    return Loop()


def test_a_lone_client_never_waits(loop):
    for batches in range(1, 4):
        loop.arrive()
        loop.turn()
        assert loop.batches == [1] * batches
        assert not loop.due


def test_after_a_batch_of_several_some_turns_may_bring_nothing(loop):
    loop.arrive(2)
    loop.turn()
    assert loop.batches == [2]
    loop.arrive()
    for _ in range(3):
        for _ in range(gathering._PATIENCE):
            loop.turn()
        assert loop.batches == [2]
        loop.arrive()
    for _ in range(gathering._PATIENCE + 1):
        loop.turn()
    assert loop.batches == [2, 4]
    assert not loop.due


def test_and_it_ends_where_there_is_enough(loop):
    loop.arrive(2)
    loop.turn()
    for turns in range(gathering._ENOUGH):
        assert loop.batches == [2], turns
        loop.arrive()
        loop.turn()
    assert loop.batches == [2, gathering._ENOUGH]


def test_each_batcher_has_its_own_requests(loop):
    other = Loop()
    loop.gathering.add(other, 0)
    loop.arrive(2)
    loop.turn()
    assert (loop.batches, other.batches) == ([2], [1])
