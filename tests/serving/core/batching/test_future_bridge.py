import asyncio
import threading
import time

import pytest

from vae_tf_serving.core.batching.future import Answer
from vae_tf_serving.core.batching.future_bridge import Completions
from vae_tf_serving.status import Code, StatusError


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """run(body) runs `await body(completions)` in a loop."""

    def run(body):
        async def main():
            return await body(Completions(asyncio.get_running_loop()))

        factory = (
            pytest.importorskip("uvloop").new_event_loop if request.param == "uvloop" else None
        )
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(asyncio.wait_for(main(), 20))

    return run


def test_answers_of_threads_and_of_the_loop(run):
    async def body(completions):
        answers = [Answer() for _ in range(20)]
        waiting = [asyncio.ensure_future(completions.wait(answer, None)) for answer in answers]
        await asyncio.sleep(0)
        for number, answer in enumerate(answers[:10]):
            answer.set_result(number)
        threading.Thread(
            target=lambda: [answer.set_result(10 + n) for n, answer in enumerate(answers[10:])]
        ).start()
        return await asyncio.gather(*waiting)

    assert run(body) == list(range(20))


def test_an_error_and_an_answer_that_is_there_already(run):
    failed, there = Answer(), Answer()
    failed.set_exception(StatusError(Code.NOT_FOUND, "no"))
    there.set_result(1)

    async def body(completions):
        with pytest.raises(StatusError, match="no"):
            await completions.wait(failed, None)
        return await completions.wait(there, time.monotonic() - 1)

    assert run(body) == 1


def test_each_deadline_is_kept_and_work_not_begun_is_cancelled(run):
    async def body(completions):
        started = time.monotonic()

        async def late(seconds):
            answer = Answer()
            with pytest.raises(StatusError) as caught:
                await completions.wait(answer, started + seconds)
            assert caught.value.code == Code.DEADLINE_EXCEEDED
            assert answer.cancelled()
            return time.monotonic() - started - seconds

        kept = Answer()
        patient = asyncio.ensure_future(completions.wait(kept, started + 15))
        over = await asyncio.gather(*[late(seconds) for seconds in (0.3, 0.1, 0.2, 0.1, -1)])
        kept.set_result(3)
        return over, await patient

    over, kept = run(body)
    assert kept == 3
    assert all(-0.01 <= seconds < 3 for seconds in over[:4])


def test_a_caller_that_leaves_cancels_what_has_not_begun(run):
    async def body(completions):
        answers = [Answer(), Answer()]
        assert answers[1].start()
        waiting = [asyncio.ensure_future(completions.wait(a, None)) for a in answers]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        answers[1].set_result(1)  # into the void
        return answers

    left, begun = run(body)
    assert left.cancelled()
    assert begun.result() == 1


def test_an_answer_that_comes_after_the_loop_has_ended_goes_nowhere(run, caplog):
    answer = Answer()
    assert answer.start()

    async def body(completions):
        waiting = asyncio.ensure_future(completions.wait(answer, None))
        await asyncio.sleep(0)
        return waiting

    assert run(body).cancelled()
    thread = threading.Thread(target=answer.set_result, args=[1])
    thread.start()
    thread.join()
    assert answer.result() == 1
    assert not caplog.text
