import asyncio
import threading
import time

import pytest

from vae_tf_serving.core.batching.future import ResultFuture
from vae_tf_serving.core.batching.future_bridge import FutureBridge
from vae_tf_serving.status import Code, StatusError


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """run(body) runs `await body(bridge)` in a loop."""

    def run(body):
        async def main():
            return await body(FutureBridge(asyncio.get_running_loop()))

        factory = (
            pytest.importorskip("uvloop").new_event_loop if request.param == "uvloop" else None
        )
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(asyncio.wait_for(main(), 20))

    return run


def test_results_of_threads_and_of_the_loop(run):
    async def body(bridge):
        futures = [ResultFuture() for _ in range(20)]
        waiting = [asyncio.ensure_future(bridge.wait(future, None)) for future in futures]
        await asyncio.sleep(0)
        for number, future in enumerate(futures[:10]):
            future.set_result(number)
        threading.Thread(
            target=lambda: [future.set_result(10 + n) for n, future in enumerate(futures[10:])]
        ).start()
        return await asyncio.gather(*waiting)

    assert run(body) == list(range(20))


def test_an_error_and_a_result_that_is_set_already(run):
    failed, there = ResultFuture(), ResultFuture()
    failed.set_exception(StatusError(Code.NOT_FOUND, "no"))
    there.set_result(1)

    async def body(bridge):
        with pytest.raises(StatusError, match="no"):
            await bridge.wait(failed, None)
        return await bridge.wait(there, time.monotonic() - 1)

    assert run(body) == 1


def test_each_deadline_is_kept_and_work_not_begun_is_cancelled(run):
    async def body(bridge):
        started = time.monotonic()

        async def late(seconds):
            future = ResultFuture()
            with pytest.raises(StatusError) as caught:
                await bridge.wait(future, started + seconds)
            assert caught.value.code == Code.DEADLINE_EXCEEDED
            assert future.cancelled()
            return time.monotonic() - started - seconds

        kept = ResultFuture()
        patient = asyncio.ensure_future(bridge.wait(kept, started + 15))
        over = await asyncio.gather(*[late(seconds) for seconds in (0.3, 0.1, 0.2, 0.1, -1)])
        kept.set_result(3)
        return over, await patient

    over, kept = run(body)
    assert kept == 3
    assert all(-0.01 <= seconds < 3 for seconds in over[:4])


def test_a_cancelled_caller_cancels_work_that_has_not_begun(run):
    async def body(bridge):
        futures = [ResultFuture(), ResultFuture()]
        assert futures[1].start()
        waiting = [asyncio.ensure_future(bridge.wait(a, None)) for a in futures]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        futures[1].set_result(1)
        return futures

    left, begun = run(body)
    assert left.cancelled()
    assert begun.result() == 1


def test_a_result_after_the_end_of_the_loop_is_ignored(run, caplog):
    future = ResultFuture()
    assert future.start()

    async def body(bridge):
        waiting = asyncio.ensure_future(bridge.wait(future, None))
        await asyncio.sleep(0)
        return waiting

    assert run(body).cancelled()
    thread = threading.Thread(target=future.set_result, args=[1])
    thread.start()
    thread.join()
    assert future.result() == 1
    assert not caplog.text
