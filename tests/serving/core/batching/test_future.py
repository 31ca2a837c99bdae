import threading

import pytest

from vae_tf_serving.core.batching.future import ResultFuture


def test_a_result_reaches_current_and_later_callers():
    future, calls = ResultFuture(), []
    future.add_done_callback(lambda done: calls.append(done.result()))
    assert not future.done()
    with pytest.raises(TimeoutError):
        future.result(0.01)
    assert future.start()
    assert future.running()
    threading.Timer(0.05, future.set_result, [5]).start()
    assert future.result(20) == 5
    future.add_done_callback(lambda done: calls.append(done.result() + 1))
    assert calls == [5, 6]
    assert future.done()
    assert not future.running()
    assert future.exception() is None
    assert not future.cancel()


def test_an_error_is_raised():
    future = ResultFuture()
    future.set_exception(KeyError("x"))
    assert isinstance(future.exception(), KeyError)
    with pytest.raises(KeyError):
        future.result()


def test_cancelled_work_is_not_begun():
    future, calls = ResultFuture(), []
    future.add_done_callback(calls.append)
    assert future.cancel()
    assert future.cancelled()
    assert calls == [future]
    assert not future.start()
    assert future.cancel()
    with pytest.raises(RuntimeError, match="cancelled"):
        future.result()


def test_it_is_completed_once():
    future = ResultFuture()
    future.set_result(1)
    with pytest.raises(RuntimeError, match="already"):
        future.set_exception(ValueError())
    assert future.result() == 1


def test_a_callback_that_raises_is_logged_and_the_others_are_called(caplog):
    future, calls = ResultFuture(), []
    future.add_done_callback(lambda _: 1 / 0)
    future.add_done_callback(calls.append)
    future.set_result(1)
    assert calls == [future]
    assert "ZeroDivisionError" in caplog.text


def test_either_cancel_or_start_succeeds():
    for _ in range(200):
        future, won = ResultFuture(), []
        go = threading.Barrier(2)

        def race(act, future=future, won=won, go=go):
            go.wait()
            won.append(act(future))

        threads = [
            threading.Thread(target=race, args=[act])
            for act in (ResultFuture.start, ResultFuture.cancel)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won) == [False, True]
