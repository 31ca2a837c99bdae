"""The REST API over the wire: paths, answers, and the table of errors."""

import json

import numpy as np
import pytest

PLUS_TWO, VAE = "/v1/models/plus_two", "/v1/models/vae"


def post(rest, path, **body):
    return rest.post(path, content=json.dumps(body))


def predict(rest, signature=None, path=PLUS_TWO, **body):
    if signature is not None:
        body["signature_name"] = signature
    return post(rest, f"{path}:predict", **body)


def error(response):
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert list(answer) == ["error"]
    assert response.text.startswith('{\n    "error": "')
    return response.status_code, answer["error"]


class TestPaths:
    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            (f"{PLUS_TWO}:predict", 3.0 + 0.5),  # the highest version, 2, adds one more
            (f"{PLUS_TWO}/versions/1:predict", 2.5),
            (f"{PLUS_TWO}/versions/0002:predict", 3.5),
            (f"{PLUS_TWO}/labels/stable:predict", 2.5),
            (f"{PLUS_TWO}/labels/canary:predict", 3.5),
            ("/V1/Models/plus_two/Versions/1:predict", 2.5),
            ("/v1/models/plus%5Ftwo/labels/st%61ble:predict", 2.5),
        ],
    )
    def test_version_asked_for_answers(self, rest, path, expected):
        assert post(rest, path, instances=[1.0]).json() == {"predictions": [expected]}

    @pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE", "PATCH"])
    def test_other_verbs_are_malformed_never_405(self, rest, verb):
        response = rest.request(verb, f"{PLUS_TWO}:predict")
        assert error(response) == (400, f"Malformed request: {verb} {PLUS_TWO}:predict")

    def test_head_is_malformed_without_a_body(self, rest):
        response = rest.head(PLUS_TWO)
        assert (response.status_code, response.content) == (400, b"")

    @pytest.mark.parametrize(
        "path",
        [
            f"{PLUS_TWO}:predict/",
            f"{PLUS_TWO}:predict?x=1",
            f"{PLUS_TWO}:PREDICT",
            f"{PLUS_TWO}/versions/one:predict",
            "/v1/other",
        ],
    )
    def test_whole_path_has_to_match(self, rest, path):
        assert error(rest.post(path)) == (400, f"Malformed request: POST {path}")

    def test_query_string_is_part_of_the_name(self, rest):
        response = rest.get(f"{PLUS_TWO}?x=1")
        assert error(response) == (404, "Could not find any versions of model plus_two?x=1")

    def test_missing_name(self, rest):
        assert error(rest.get("/v1/models")) == (400, "Missing model name in request.")

    def test_version_beyond_int64_has_an_empty_body(self, rest):
        response = rest.get(f"{PLUS_TWO}/versions/99999999999999999999")
        assert (response.status_code, response.content) == (400, b"")

    @pytest.mark.parametrize("path", ["/", "/v1", "/v2/models/plus_two", "/favicon.ico"])
    def test_elsewhere_is_a_page_of_html(self, rest, path):
        response = rest.get(path)
        assert response.status_code == 404
        assert response.headers["content-type"].startswith("text/html")
        assert response.headers["connection"] == "close"


class TestStatus:
    def test_versions_descend(self, rest):
        ok = {"error_code": "OK", "error_message": ""}
        assert rest.get(PLUS_TWO).json() == {
            "model_version_status": [
                {"version": version, "state": "AVAILABLE", "status": ok} for version in ("2", "1")
            ]
        }

    def test_one_version_and_an_ignored_label(self, rest):
        one = rest.get(f"{PLUS_TWO}/versions/1").json()["model_version_status"]
        assert [status["version"] for status in one] == ["1"]
        assert len(rest.get(f"{PLUS_TWO}/labels/none").json()["model_version_status"]) == 2
        assert rest.get(f"{PLUS_TWO}/METADATA").json() == rest.get(PLUS_TWO).json()

    def test_unknown(self, rest):
        assert error(rest.get("/v1/models/m")) == (404, "Could not find any versions of model m")
        expected = (404, "Could not find version 9 of model plus_two")
        assert error(rest.get(f"{PLUS_TWO}/versions/9")) == expected


def test_metadata(rest):
    answer = rest.get(f"{PLUS_TWO}/labels/stable/metadata").json()
    assert answer["model_spec"] == {"name": "plus_two", "version": "1", "signature_name": ""}
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    shape = {"dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}], "unknown_rank": False}
    assert signatures["serving_default"] == {
        "inputs": {
            "x": {"dtype": "DT_FLOAT", "tensor_shape": shape, "name": "serving_default_x:0"}
        },
        "outputs": {"y": signatures["serving_default"]["outputs"]["y"]},
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    }
    assert signatures["serving_default"]["outputs"]["y"]["tensor_shape"] == shape
    assert signatures["add"]["defaults"]["b"]["float_val"] == [10.0]
    hidden = signatures["__saved_model_init_op"]["outputs"]["__saved_model_init_op"]
    assert (hidden["dtype"], hidden["tensor_shape"]["unknown_rank"]) == ("DT_INVALID", True)
    unknown = rest.get("/v1/models/m/metadata")
    assert error(unknown) == (404, "Servable not found for request: Latest(m)")


class TestPredict:
    def test_row_and_columnar(self, rest):
        assert predict(rest, instances=[1.0, 2, 5.0]).json() == {"predictions": [3.5, 4.0, 5.5]}
        assert predict(rest, instances=[{"x": [1.0]}]).json() == {"predictions": [[3.5]]}
        assert predict(rest, inputs=[[1.0], [2]]).json() == {"outputs": [[3.5], [4.0]]}
        assert predict(rest, inputs={"x": [1.0]}).json() == {"outputs": [3.5]}

    def test_several_outputs_are_objects(self, rest):
        rows = [{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 5.5}]
        assert predict(rest, "add", instances=rows).json()["predictions"] == [
            {"total": 3.0, "difference": -1.0},
            {"total": 8.5, "difference": -2.5},
        ]
        columns = {"a": [1.0, 3.0], "b": [2.0], "ignored": "x"}
        assert predict(rest, "add", inputs=columns).json()["outputs"] == {
            "total": [3.0, 5.0],
            "difference": [-1.0, 1.0],
        }

    def test_shape_of_the_signature_is_not_checked(self, rest):
        assert predict(rest, instances=[[1.0, 2.0, 3.0]]).json() == {
            "predictions": [[3.5, 4.0, 4.5]]
        }

    def test_scalars_in_and_out(self, rest):
        assert predict(rest, "echo", inputs=2.5).json() == {"outputs": 2.5}
        assert predict(rest, "scalar", inputs=[1.0, 2.0]).json() == {"outputs": 3.0}
        expected = (400, "Tensor name: sum has no shape information ")
        assert error(predict(rest, "scalar", instances=[1.0])) == expected

    def test_unequal_first_axes_only_matter_in_rows(self, rest):
        outputs = {"pairs": [[1.0, 2.0]], "rows": [1.0, 2.0]}
        assert predict(rest, "shapes", inputs=[1.0, 2.0]).json() == {"outputs": outputs}
        status, message = error(predict(rest, "shapes", instances=[1.0, 2.0]))
        assert (status, "has inconsistent batch size" in message) == (400, True)

    def test_every_type_that_json_has_a_form_for(self, rest):
        row = {
            "f64": 0.1, "i8": -3, "i64": -(2**63), "u8": 255, "u64": 2**64 - 1, "flag": True,
            "text": "é/\"\n",
        }  # fmt: skip
        outputs = {f"{name}_out": value for name, value in row.items()}
        text = {"b64": "w6kvIgo="}
        expected = outputs | {"text_bytes": text}
        assert predict(rest, "types", instances=[row]).json() == {"predictions": [expected]}
        row |= {"i8": 300, "text": text}  # cut to eight bits; base64 is read too
        expected |= {"i8_out": 44}
        assert predict(rest, "types", instances=[row]).json() == {"predictions": [expected]}

    def test_not_finite_numbers_both_ways(self, rest):
        body = '{"signature_name": "echo", "inputs": [NaN, Infinity, -Inf, -Infinity, 1e39, 1]}'
        response = rest.post(f"{PLUS_TWO}:predict", content=body)
        text = "".join(response.text.split())
        assert text == '{"outputs":[NaN,Infinity,-Infinity,-Infinity,Infinity,1.0]}'

    def test_empty_lists(self, rest):
        assert predict(rest, "echo", inputs=[]).json() == {"outputs": []}
        assert predict(rest, "echo", inputs=[[], []]).json() == {"outputs": [[], []]}
        expected = (400, "No values in 'instances' array")
        status, message = error(predict(rest, instances=[]))
        assert (status, message[-len(expected[1]) :]) == expected

    @pytest.mark.parametrize(
        "body",
        [
            b'\xef\xbb\xbf{"instances": [1.0]}',
            b'{"instances": [1.0]} } trailing',
            b'{"instances": [1.0], "instances": [7.0]}',
            b'{"instances": [1.0], "output_filter": ["z"], "other": null}',
            b' \n\t{ "instances" :[ 1e0 ] }',
        ],
    )
    def test_leniency(self, rest, body):
        response = rest.post(f"{PLUS_TWO}:predict", content=body)
        assert response.json() == {"predictions": [3.5]}

    def test_invalid_utf8_in_strings_passes_through(self, rest):
        body = b'{"signature_name": "echo_text", "inputs": ["a\xff"]}'
        response = rest.post(f"{PLUS_TWO}:predict", content=body)
        assert b'"a\xff"' in response.content

    def test_many_rows_are_written_in_a_thread(self, rest):
        x = np.random.default_rng(0).normal(size=(500, 40))
        answer = predict(rest, "echo", instances=x.tolist()).json()["predictions"]
        np.testing.assert_array_equal(np.float32(answer), np.float32(x))


ELEMENT = "Failed to process element: 0"
ERRORS = [
    (b"", "JSON Parse error: The document is empty"),
    (b"{", "JSON Parse error: Missing a name for object member. at offset: 1"),
    (b'{"a": nan}', "JSON Parse error: Invalid value. at offset: 7"),
    (b'{"a": [1,]}', "JSON Parse error: Invalid value. at offset: 9"),
    (b'{"a" 1}', "JSON Parse error: Missing a colon after a name of object member. at offset: 5"),
    (b'{"a": 1e400}', "JSON Parse error: Number too big to be stored in double. at offset: 6"),
    (b"[1]", "JSON Value: [1] Is not object"),
    (b'{"x": 1}', "Missing 'inputs' or 'instances' key"),
    (
        b'{"signature_name": null}',
        'JSON Value: {\n    "signature_name": null\n} not formatted correctly. '
        "'signature_name' key must be a string value.",
    ),
    (
        b'{"signature_name": "s", "inputs": 1}',
        'Serving signature name: "s" not found in signature def',
    ),
    (
        b'{"inputs": 1, "instances": [1, 2]}',
        'JSON Value: {\n    "inputs": 1,\n    "instances": [1, 2]\n} Not formatted correctly '
        "expecting only one of 'inputs' or 'instances' keys to exist ",
    ),
    (
        b'{"instances": 1}',
        "JSON Value: {\n    \"instances\": 1\n} Expecting 'instances' to be an list/array",
    ),
    (
        b'{"signature_name": "add", "instances": [{"a": 1}]}',
        f"{ELEMENT} of 'instances' list. JSON object: {{\n    \"a\": 1\n}} "
        "keys must be equal to: a,b",
    ),
    (
        b'{"signature_name": "add", "instances": [{"c": 1}]}',
        f"{ELEMENT} key: c of 'instances' list. Error: INVALID_ARGUMENT: "
        "JSON object: does not have named input: c",
    ),
    (
        b'{"signature_name": "add", "inputs": {"a": 1}}',
        "Missing named input: b in 'inputs' object.",
    ),
    (b'{"inputs": "x"}', 'JSON Value: "x" Type: String is not of expected type: float'),
    (b'{"inputs": [true]}', "JSON Value: true Type: True is not of expected type: float"),
    (b'{"inputs": [1, null]}', "JSON Value: null Type: Null is not of expected type: float"),
    (
        b'{"instances": ["x"]}',
        f"{ELEMENT} of 'instances' list. Error: INVALID_ARGUMENT: "
        'JSON Value: "x" Type: String is not of expected type: float',
    ),
    (
        b'{"inputs": [[1], [1, 2]]}',
        "Encountered list at unexpected size: 2 at level: 1 expected size: 1",
    ),
    (
        b'{"instances": [[1, 2], [1, 2, 3]]}',
        "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: "
        "Expecting tensor size: 2 but got: 3",
    ),
    (
        b'{"instances": [[1, 2], [[1, 2]]]}',
        "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: "
        "Expecting shape [2] but got: [1,2]",
    ),
    (
        b'{"signature_name": "types", "inputs": {"f64": 1, "i8": 5.0, "flag": true, "i64": 1, '
        b'"text": "", "u64": 1, "u8": 1}}',
        "JSON Value: 5.0 Type: Number is not of expected type: int8",
    ),
    (b'{"signature_name": "echo_text", "inputs": {"b64": "a-"}}', "Unable to base64 decode"),
    (
        b'{"signature_name": "constant", "inputs": 1}',
        "Failed to get input map for signature: constant",
    ),
    (
        b'{"signature_name": "half_in", "instances": [1.5]}',
        f"{ELEMENT} of 'instances' list. Error: UNIMPLEMENTED: "
        "Conversion of JSON Value: 1.5 to type: half",
    ),
    (
        b'{"signature_name": "half_out", "inputs": [1.5]}',
        "Failed to write JSON value for tensor type: half",
    ),
]


@pytest.mark.parametrize(("body", "message"), ERRORS)
def test_errors_of_predict(rest, body, message):
    assert error(rest.post(f"{PLUS_TWO}:predict", content=body)) == (400, message)


def test_other_codes_of_predict(rest):
    one = {"instances": [1.0]}
    for path, expected in {
        "/v1/models/m:predict": (404, "Servable not found for request: Latest(m)"),
        f"{PLUS_TWO}/versions/9:predict": (
            404,
            "Servable not found for request: Specific(plus_two, 9)",
        ),
        f"{PLUS_TWO}/labels/none:predict": (400, "Unrecognized servable version label: none"),
    }.items():
        assert error(post(rest, path, **one)) == expected
    bad_json_first = rest.post("/v1/models/m:predict", content=b"{")
    assert bad_json_first.status_code == 400
    half = predict(rest, "half_in", inputs=[1.5])
    assert error(half) == (501, "Conversion of JSON Value: 1.5 to type: half")
    status, message = error(predict(rest, "matmul", inputs=[[1.0, 2.0, 3.0]]))
    assert status == 400
    # Some kernels of TensorFlow append the flags of the transpositions to the first line.
    assert message.startswith("Matrix size-incompatible: In[0]: [1,3], In[1]: [4,2]")
    assert "\n\t [[{{" in message


def test_timeout(embedded, rest):
    status_and_message = error(predict(rest, "slow", inputs=2_000_000_000))
    assert status_and_message == (504, "Timed out waiting for notification")


class TestExamples:
    def test_classify(self, rest):
        body = {"signature_name": "classify", "examples": [{"x": 1.5}, {"x": [-0.1]}]}
        assert post(rest, f"{PLUS_TWO}:classify", **body).json() == {
            "results": [[["low", -1.5], ["high", 1.5]], [["low", 0.1], ["high", -0.1]]]
        }

    def test_regress_with_context(self, rest):
        body = {"signature_name": "regress", "context": {"x": 2.0}, "examples": [{}, {"x": 4.0}]}
        path = f"{PLUS_TWO}/versions/1:regress"
        assert post(rest, path, **body).json() == {"results": [3.0, 4.0]}

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"signature_name": "s", "examples": [{}]}, "No signature was found with the name: s"),
            (
                {"examples": [{"x": [1, 1.5]}]},
                "Unexpected element type in feature: x expecting type: int64",
            ),
            ({"examples": [1]}, "Example must be JSON object but got JSON Number"),
            ({"examples": [{"x": None}]}, "Feature: x has element with unexpected JSON type: Null"),
            ({"examples": [{"x": 2**63}]}, "Feature: x has uint64 element. Only int64 is supported."),
            ({"examples": [{"x": 1.0}]}, "No classification inputs found in SignatureDef: "),
        ],
    )  # fmt: skip
    def test_errors(self, rest, body, message):
        status, found = error(post(rest, f"{PLUS_TWO}:classify", **body))
        assert (status, found[: len(message)]) == (400, message)

    @pytest.mark.parametrize(
        ("examples", "end"),
        [
            ({}, "Expecting 'examples' value to be an list/array"),
            ([], "'examples' value is an empty array"),
            (..., "When method is classify, key 'examples' is expected and was not found"),
        ],
    )
    def test_missing_examples(self, rest, examples, end):
        body = {} if examples is ... else {"examples": examples}
        status, found = error(post(rest, f"{PLUS_TWO}:regress", **body))
        assert (status, found[-len(end) :]) == (400, end)


def test_rows_of_the_vae_are_the_same_alone_and_together(rest):
    seeds = list(range(8))
    together = predict(rest, "sample", VAE, instances=seeds).json()["predictions"]
    alone = [
        predict(rest, "sample", VAE, instances=[seed]).json()["predictions"][0] for seed in seeds
    ]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one["x"], other["x"], rtol=1e-5)
        np.testing.assert_allclose(one["z"], other["z"], rtol=1e-5)
