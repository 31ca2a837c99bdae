import threading

import pytest

from vae_tf_serving.core.batching.future import Answer


def test_a_result_reaches_whoever_waits_and_whoever_asks_later():
    answer, heard = Answer(), []
    answer.add_done_callback(lambda done: heard.append(done.result()))
    assert not answer.done()
    with pytest.raises(TimeoutError):
        answer.result(0.01)
    assert answer.start()
    assert answer.running()
    threading.Timer(0.05, answer.set_result, [5]).start()
    assert answer.result(20) == 5
    answer.add_done_callback(lambda done: heard.append(done.result() + 1))
    assert heard == [5, 6]
    assert answer.done()
    assert not answer.running()
    assert answer.exception() is None
    assert not answer.cancel()


def test_an_error_is_raised():
    answer = Answer()
    answer.set_exception(KeyError("x"))
    assert isinstance(answer.exception(), KeyError)
    with pytest.raises(KeyError):
        answer.result()


def test_what_is_cancelled_is_not_begun():
    answer, heard = Answer(), []
    answer.add_done_callback(heard.append)
    assert answer.cancel()
    assert answer.cancelled()
    assert heard == [answer]
    assert not answer.start()
    assert answer.cancel()
    with pytest.raises(RuntimeError, match="cancelled"):
        answer.result()


def test_it_is_answered_once():
    answer = Answer()
    answer.set_result(1)
    with pytest.raises(RuntimeError, match="already"):
        answer.set_exception(ValueError())
    assert answer.result() == 1


def test_a_callback_that_raises_is_logged_and_the_others_are_called(caplog):
    answer, heard = Answer(), []
    answer.add_done_callback(lambda _: 1 / 0)
    answer.add_done_callback(heard.append)
    answer.set_result(1)
    assert heard == [answer]
    assert "ZeroDivisionError" in caplog.text


def test_of_cancelling_and_beginning_one_wins():
    for _ in range(200):
        answer, won = Answer(), []
        go = threading.Barrier(2)

        def race(act, answer=answer, won=won, go=go):
            go.wait()
            won.append(act(answer))

        threads = [
            threading.Thread(target=race, args=[act]) for act in (Answer.start, Answer.cancel)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(won) == [False, True]
