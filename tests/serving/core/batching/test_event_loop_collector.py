"""Number of turns of the loop for which a batch is collected."""

from collections import deque

import pytest

from vae_tf_serving.core.batching import event_loop_collector
from vae_tf_serving.core.batching.event_loop_collector import EventLoopCollector


class Loop:
    """Loop that turns on demand, and the batcher of its batches."""

    def __init__(self):
        self.due = deque()
        self.batches = []
        self.collector = EventLoopCollector(self.due.append)

    def arrive(self, count=1):
        for number in range(count):
            self.collector.add(self.take, number)

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


def test_after_a_batch_of_several_requests_idle_turns_are_waited_for(loop):
    loop.arrive(2)
    loop.turn()
    assert loop.batches == [2]
    loop.arrive()
    for _ in range(3):
        for _ in range(event_loop_collector._MAX_IDLE_TURNS):
            loop.turn()
        assert loop.batches == [2]
        loop.arrive()
    for _ in range(event_loop_collector._MAX_IDLE_TURNS + 1):
        loop.turn()
    assert loop.batches == [2, 4]
    assert not loop.due


def test_a_batch_is_limited(loop):
    loop.arrive(2)
    loop.turn()
    for turns in range(event_loop_collector._MAX_REQUESTS):
        assert loop.batches == [2], turns
        loop.arrive()
        loop.turn()
    assert loop.batches == [2, event_loop_collector._MAX_REQUESTS]


def test_each_batcher_has_its_own_requests(loop):
    other = Loop()
    loop.collector.add(other.take, 0)
    loop.arrive(2)
    loop.turn()
    assert (loop.batches, other.batches) == ([2], [1])
