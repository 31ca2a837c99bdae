"""The JSON reader and writer by themselves, against the standard library and NumPy."""

import asyncio
import json
import math
import time
import tracemalloc

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow.core.framework import types_pb2 as types

from vae_tf_serving.rest import json_examples, json_in, json_out, json_tensors
from vae_tf_serving.rest.actions import Actions
from vae_tf_serving.rest.json_echo import echo
from vae_tf_serving.rest.json_scanner import JsonSyntaxError, scan
from vae_tf_serving.rest.paths import Route
from vae_tf_serving.rest.time_limit import TimeLimit
from vae_tf_serving.status import Code, StatusError

DEEP = 500_000

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=8,
)


def same(one, other):
    return type(one) is type(other) and (
        one == other if not isinstance(one, (list, dict)) else json.dumps(one) == json.dumps(other)
    )


class TestScanner:
    @settings(max_examples=100, deadline=None)
    @given(values, st.booleans())
    def test_reads_what_json_writes(self, value, ascii_only):
        text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        assert same(scan(text), value)

    @settings(max_examples=100, deadline=None)
    @given(values, st.data())
    def test_agrees_with_orjson_on_damaged_text(self, value, data):
        text = bytearray(json.dumps({"a": value}).encode())
        at = data.draw(st.integers(0, len(text) - 1))
        text[at] = data.draw(st.integers(0, 127))
        try:
            expected = orjson.loads(text)
        except orjson.JSONDecodeError:
            return
        found = scan(bytes(text))
        if same(found, expected):
            return
        # orjson takes the last of two equal keys.
        assert len(json.loads(text, object_pairs_hook=list)) > len(found) or "a" not in expected

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (b"  ", "The document is empty. at offset: 2"),
            (b"-", "Invalid value. at offset: 1"),
            (b"tru", "Invalid value. at offset: 3"),
            (b"[01]", "Missing a comma or ] after an array element. at offset: 2"),
            (b"[.5]", "Invalid value. at offset: 1"),
            (b"[1.]", "Miss fraction part in number. at offset: 3"),
            (b"[1e+]", "Miss exponent in number. at offset: 4"),
            (b"[+Infinity]", "Invalid value. at offset: 1"),
            (b'["\t"]', "Invalid encoding in string. at offset: 2"),
            (b'["a', "Missing a closing quotation mark in string. at offset: 3"),
            (b'["\\x"]', "Invalid escape character in string. at offset: 2"),
            (b'["\\u00g0"]', "Incorrect hex digit after \\u escape in string. at offset: 2"),
            (b'["\\ud800"]', "The surrogate pair in string is invalid. at offset: 2"),
            (b"{'a': 1}", "Missing a name for object member. at offset: 1"),
            (b'{"a": 1,}', "Missing a name for object member. at offset: 8"),
            (b'{"a": 1 "b"', "Missing a comma or } after an object member. at offset: 8"),
            (b"[1] // comment", None),
        ],
    )
    def test_errors(self, text, message):
        if message is None:
            assert scan(text) == [1]
            return
        with pytest.raises(JsonSyntaxError) as caught:
            scan(text)
        assert str(caught.value) == message

    def test_depth_costs_memory_only(self):
        value = scan(b"[" * DEEP + b"]" * DEEP)
        depth = 0
        while value:
            value, depth = value[0], depth + 1
        assert depth == DEEP - 1
        with pytest.raises(JsonSyntaxError):
            scan(b'{"a":' * 10_000)

    def test_words_for_numbers(self):
        found = scan(b"[NaN, -NaN, Inf, -Inf, Infinity, -Infinity]")
        assert [math.isnan(number) for number in found] == [True, True, False, False, False, False]
        assert found[2:] == [math.inf, -math.inf] * 2


class TestKeys:
    @pytest.mark.parametrize(
        "name", ["instances", "inputs", "signature_name", "examples", "context"]
    )
    def test_first_of_equal_ones_counts(self, name):
        for between in ("", '"other": {"x": "y"}, '):
            body = f'{{"{name}": "first", {between}"{name}": "last"}}'
            assert json_in.parse(body.encode()).members[name] == "first"
        escaped = f'{{"{name}": "first", "{name}": {{"\\u0069nputs": 1}}}}'
        assert json_in.parse(escaped.encode()).members[name] == "first"

    def test_inputs_of_such_a_name_are_read_fast(self, monkeypatch):
        monkeypatch.setattr(json_in, "scan", None)
        for body in (
            b'{"inputs": {"inputs": [1.5], "context": [2]}, "signature_name": "inputs"}',
            b'{"instances": [{"inputs": 1.5}, {"inputs": 2.5}]}',
            b'{"inputs": {"inputs": ["a string"]}}',
        ):
            assert json_in.parse(body).members == json.loads(body)

    def test_strings_are_noticed(self):
        for text in (
            '{"instances": [1, "a"]}',
            '{"instances": [[1], ["a"]]}',
            '{"instances": [{"x": [1, "a"]}]}',
            '{"instances": [{"x": [1, "a", "a"], "x": 1}]}',
            '{"inputs": {"x": ["a"]}}',
            '{"inputs": "a"}',
            '{"inputs": [1, NaN, "a"]}',
            '{"inputs": {"a\\"b": "c"}}',
        ):
            assert json_in.parse(text.encode()).may_have_strings, text
        for text in ('{"signature_name": "a", "instances": [{"x": 1, "y": [2]}]}', '{"inputs": 1}'):
            assert not json_in.parse(text.encode()).may_have_strings, text


class TestTimeLimit:
    NUMBERS = b"1," * 50_000

    @pytest.mark.parametrize(
        "body",
        [
            b'{"inputs": [%bNaN]}' % NUMBERS,
            b'{"inputs": [%b1]} ;' % NUMBERS,
            b'{"inputs": 1, "inputs": [%b1]}' % NUMBERS,
            b'{"inputs": NaN, "x": "%b"}' % (b"\\n" * 50_000),
            b'{"inputs": [%btrue]}' % NUMBERS,
            b'{"instances": [%btrue]}' % NUMBERS,
            b'{"instances": [%b"a"]}' % NUMBERS,
        ],
    )
    def test_reading_a_request_ends_in_time(self, body):
        late = TimeLimit(time.monotonic() - 1)
        with pytest.raises(StatusError) as caught:
            json_tensors.arrays(json_in.parse(body, late), {"x": types.DT_FLOAT}, late)
        assert caught.value.code == Code.DEADLINE_EXCEEDED

    def test_examples(self):
        document = json_in.parse(b'{"examples": [{"x": [%b1]}]}' % self.NUMBERS)
        with pytest.raises(StatusError, match="DEADLINE_EXCEEDED"):
            json_examples.examples(document, TimeLimit(time.monotonic() - 1))

    @pytest.mark.parametrize("action", ["predict", "classify"])
    def test_counts_from_the_start_of_the_call(self, action):
        actions = Actions(None, None, timeout=0.02)
        body = b'{"inputs": [%bNaN]}' % (self.NUMBERS * 10)
        started = time.monotonic()
        with pytest.raises(StatusError) as caught:
            asyncio.run(getattr(actions, action)(Route(action, "m"), body))
        assert caught.value.code == Code.DEADLINE_EXCEEDED
        assert time.monotonic() - started < 1


class TestEcho:
    def test_layout(self):
        value = {"a": [1, 2.5, [True, None]], "b": {}, "c": {"d": "é\n"}}
        assert echo(value) == (
            '{\n    "a": [1, 2.5, [true, null]],\n    "b": {},\n'
            '    "c": {\n        "d": "é\\n"\n    }\n}'
        )

    def test_is_cut_at_a_token_and_left_open(self):
        text = echo(list(range(1000)))
        assert 256 < len(text) < 264
        assert not text.endswith("]")
        assert len(echo(scan(b"[" * 10_000 + b"]" * 10_000))) == 257


def parse(value, dtype):
    document = json_in.parse(json.dumps({"inputs": value}).encode())
    return json_tensors.arrays(document, {"x": dtype})[0]["x"]


class TestTensors:
    @settings(max_examples=100, deadline=None)
    @given(
        st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20),
        st.sampled_from([(types.DT_FLOAT, np.float32), (types.DT_DOUBLE, np.float64)]),
    )
    def test_floats_there_and_back(self, numbers, kind):
        dtype, wanted = kind
        array = parse(numbers, dtype)
        assert array.dtype == wanted
        np.testing.assert_array_equal(array, np.array(numbers, wanted))
        written = json.loads(json_out.columns({"y": array}))["outputs"]
        np.testing.assert_array_equal(np.array(written, wanted), array)

    @settings(max_examples=100, deadline=None)
    @given(
        st.lists(
            st.lists(
                st.integers(-5, 300) | st.floats(-9, 9) | st.booleans(), min_size=2, max_size=2
            ),
            min_size=1,
            max_size=4,
        ),
        st.sampled_from([types.DT_FLOAT, types.DT_INT32, types.DT_UINT8, types.DT_UINT64]),
        st.booleans(),
    )
    def test_fast_way_agrees_with_the_slow_one(self, rows, dtype, as_rows):
        """The word `true` anywhere in the text makes the reader look at every value."""
        body = json.dumps({"instances" if as_rows else "inputs": rows}).encode()
        answers = []
        for text in (body, body[:-1] + b', "other": true}'):
            try:
                array = json_tensors.arrays(json_in.parse(text), {"x": dtype})[0]["x"]
                answers.append((array.dtype, array.tolist()))
            except StatusError as error:
                answers.append(error.message)
        assert answers[0] == answers[1]

    @pytest.mark.parametrize(
        ("value", "dtype"),
        [
            (2**31, types.DT_INT32),
            (-1, types.DT_UINT32),
            (2**32, types.DT_UINT32),
            (-1, types.DT_UINT64),
            (2**63, types.DT_INT64),
            (2**64, types.DT_UINT64),
            (1.0, types.DT_INT64),
            (1e2, types.DT_INT32),
            (1, types.DT_BOOL),
            (True, types.DT_INT32),
            ("1", types.DT_FLOAT),
            (1, types.DT_STRING),
            ({"b64": "YQ==", "c": 1}, types.DT_STRING),
            ({"b64": "YQ=="}, types.DT_FLOAT),
        ],
    )
    def test_wrong_kind_of_value(self, value, dtype):
        for inputs in (value, [value]):
            with pytest.raises(StatusError) as caught:
                parse({"x": inputs}, dtype)
            assert caught.value.code == Code.INVALID_ARGUMENT

    @pytest.mark.parametrize("text", ["YQ", "YQ==", " Y Q\n=", "YQ="])
    def test_base64_without_padding_and_with_blanks(self, text):
        assert parse({"b64": text}, types.DT_STRING).item() == b"a"

    @pytest.mark.parametrize("form", ['["%s", %s]', '[%.0s%s, "b"]', '[["%s"], [%s]]'])
    def test_strings_take_no_memory_for_the_numbers_beside_them(self, form):
        values = form % ("a" * 10_000, "1, " * 2_000 + "1")
        document = json_in.parse(f'{{"instances": {values}}}'.encode())
        tracemalloc.start()
        try:
            with pytest.raises(StatusError):
                json_tensors.arrays(document, {"x": types.DT_FLOAT})
            assert tracemalloc.get_traced_memory()[1] < 4 << 20
        finally:
            tracemalloc.stop()

    def test_too_deep_for_an_array(self):
        nested = b"[" * 1000 + b"]" * 1000
        document = json_in.parse(b'{"instances": [%b]}' % nested)
        with pytest.raises(StatusError, match="Encountered list at unexpected level: 64"):
            json_tensors.arrays(document, {"x": types.DT_FLOAT})


class TestWriter:
    @settings(max_examples=100, deadline=None)
    @given(st.binary())
    def test_strings_of_any_bytes(self, text):
        array = np.empty(1, object)
        array[0] = text
        written = json_out.predictions({"s": array})
        assert scan(written)["predictions"][0].encode("utf-8", "surrogateescape") == text
        coded = json.loads(json_out.predictions({"s_bytes": array}))["predictions"][0]
        assert parse(coded, types.DT_STRING).item() == text

    def test_floats_not_finite(self):
        outputs = {"a": np.float32([1, np.nan]), "b": np.array([[np.inf], [-np.inf]])}
        text = json_out.predictions(outputs).decode()
        assert (
            "".join(text.split())
            == '{"predictions":[{"a":1.0,"b":[Infinity]},{"a":NaN,"b":[-Infinity]}]}'
        )

    def test_digits_are_the_shortest_that_read_back(self):
        text = json_out.columns({"y": np.float32([1 / 3, 0.1, 3])}).decode()
        assert "".join(text.split()) == '{"outputs":[0.33333334,0.1,3.0]}'
        assert json_out.shortest(float(np.float32(0.1))) == 0.1

    @pytest.mark.parametrize(
        ("dtype", "name"),
        [(np.float16, "half"), (np.uint16, "uint16"), (np.complex64, "complex64")],
    )
    def test_types_without_a_form(self, dtype, name):
        with pytest.raises(StatusError, match=f"for tensor type: {name}$"):
            json_out.columns({"y": np.zeros(2, dtype)})
