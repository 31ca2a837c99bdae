import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vae_tf_serving.core.batching.merging import MergeRules, merge, padded_size, run_together, split
from vae_tf_serving.core.batching.task import Task, deadline_exceeded
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.status import Code, StatusError

sizes = st.lists(st.integers(1, 9), min_size=1, max_size=8)


def task(rows, value=0.0, deadline=None):
    x = value + np.arange(rows * 2, dtype=np.float32).reshape(rows, 2)
    made = Task({"x": x}, ("y",), deadline)
    made.rows = rows
    return made


def double(inputs, outputs, deadline):
    return [2 * inputs["x"]]


@given(rows=sizes, allowed=st.sets(st.integers(1, 80)))
def test_each_request_gets_its_own_rows_whatever_the_padding(rows, allowed):
    allowed = sorted(allowed)
    inputs = [{"x": np.random.rand(n, 3), "s": np.arange(n).astype(str)} for n in rows]
    total = sum(rows)
    size = padded_size(total, allowed)
    assert size == total or (size in allowed and size > total)
    merged = merge(inputs, size - total)
    assert merged["x"].shape == (size, 3)
    for row in merged["x"][total:]:
        np.testing.assert_array_equal(row, inputs[-1]["x"][0])
    answers = split([merged["x"], merged["s"]], rows, size - total)
    for sent, answer in zip(inputs, answers, strict=True):
        np.testing.assert_array_equal(answer[0], sent["x"])
        np.testing.assert_array_equal(answer[1], sent["s"])


@given(rows=sizes, inner=st.lists(st.integers(1, 5), min_size=8, max_size=8))
def test_inner_padding_uses_the_first_value(rows, inner):
    inputs = [{"x": 7 + np.random.rand(n, m, 2)} for n, m in zip(rows, inner, strict=False)]
    merged = merge(inputs, pad_inner=True)["x"]
    width = max(value["x"].shape[1] for value in inputs)
    assert merged.shape == (sum(rows), width, 2)
    start = 0
    for sent in (each["x"] for each in inputs):
        part = merged[start : start + len(sent)]
        np.testing.assert_array_equal(part[:, : sent.shape[1]], sent)
        assert (part[:, sent.shape[1] :] == sent.flat[0]).all()
        start += len(sent)


def test_an_empty_tensor_cannot_be_enlarged():
    with pytest.raises(StatusError, match="Got empty tensor in batch of non-empty tensors"):
        merge([{"x": np.ones([1, 2])}, {"x": np.ones([1, 0])}], pad_inner=True)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (np.float32(1), "Batched output tensor has 0 dimensions"),
        (np.ones(4), "Batched output tensor's 0th dimension does not equal the sum"),
    ],
)
def test_outputs_need_a_row_for_each_row(output, message):
    with pytest.raises(StatusError, match=message) as caught:
        split([np.asarray(output)], [2, 1])
    assert caught.value.code == Code.FAILED_PRECONDITION


def test_one_fault_is_not_the_neighbours():
    def run(inputs, outputs, deadline):
        if (inputs["x"] > 1e6).any():
            raise StatusError(Code.INVALID_ARGUMENT, "too large")
        return double(inputs, outputs, deadline)

    good, bad, other = task(2), task(1, 1e7), task(3, 5)
    run_together([good, bad, other], run, MergeRules(deadline_exceeded(), Observer()))
    np.testing.assert_array_equal(good.future.result()[0], 2 * good.inputs["x"])
    np.testing.assert_array_equal(other.future.result()[0], 2 * other.inputs["x"])
    assert bad.future.exception().message == "too large"


def test_late_and_cancelled_requests_are_not_run():
    seen = []

    class Counting(Observer):
        def batch_processed(self, rows, padding, waits):
            seen.append((rows, padding, len(waits)))

    past, gone, live = task(1, deadline=time.monotonic() - 1), task(2), task(3)
    gone.future.cancel()
    run_together([past, gone, live], double, MergeRules(deadline_exceeded(), Counting(), (4, 8)))
    assert past.future.exception().code == Code.DEADLINE_EXCEEDED
    assert live.future.result()[0].shape == (3, 2)
    assert seen == [(3, 1, 1)]


@pytest.mark.parametrize("deadlines", [(50, 90), (50, None)])
def test_a_batch_has_until_its_last_deadline(deadlines):
    now = time.monotonic()
    deadlines = [None if d is None else now + d for d in deadlines]
    given = []

    def run(inputs, outputs, deadline):
        given.append(deadline)
        return double(inputs, outputs, deadline)

    run_together(
        [task(1, deadline=d) for d in deadlines], run, MergeRules(deadline_exceeded(), Observer())
    )
    assert given == [deadlines[1]]
