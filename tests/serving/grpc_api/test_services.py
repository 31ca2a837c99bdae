"""The gRPC services over the wire: answers, and the table of errors."""

import re
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from vae_tf_serving.server import local

PLATFORM = 'model_platform: "tensorflow"'
SERVICES = {"tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"}


def request_of(kind, text):
    return text_format.Parse(text, kind())


def predict_request(signature="", model="plus_two", filters=(), **inputs):
    request = predict_pb2.PredictRequest(output_filter=filters)
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        proto = value if isinstance(value, tensor_pb2.TensorProto) else tf.make_tensor_proto(value)
        request.inputs[name].CopyFrom(proto)
    return request


def refused(call, request, code, message, timeout=30):
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=timeout)
    assert caught.value.code().name == code
    found = caught.value.details()
    assert re.fullmatch(message, found) if hasattr(message, "pattern") else found == message


X = np.float32([[1.0], [2.0]])


class TestPredict:
    def test_answer_in_typed_fields(self, prediction):
        response = prediction.Predict(predict_request(x=X))
        y = response.outputs["y"]
        assert list(y.float_val) == [3.5, 4.0]
        assert (y.tensor_content, [dim.size for dim in y.tensor_shape.dim]) == (b"", [2, 1])
        spec = response.model_spec
        assert (spec.name, spec.signature_name, spec.version.value) == (
            "plus_two", "serving_default", 2,
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("choice", "expected"),
        [("version { value: 1 }", 2.5), ('version_label: "stable"', 2.5), ("", 3.5)],
    )
    def test_versions_and_labels(self, prediction, choice, expected):
        request = predict_request(x=np.float32([[1]]))
        text_format.Parse(choice, request.model_spec)
        assert list(prediction.Predict(request).outputs["y"].float_val) == [expected]

    def test_both_forms_of_input_and_padding(self, prediction):
        for text in ("float_val: [1, 2]", "float_val: [1, 2, 9]", "float_val: 1", ""):
            shape = "dtype: DT_FLOAT tensor_shape { dim { size: 2 } }"
            proto = request_of(tensor_pb2.TensorProto, f"{shape} {text}")
            answer = list(prediction.Predict(predict_request(x=proto)).outputs["y"].float_val)
            sent = [1, 2] if "2" in text else [1, 1] if text else [0, 0]
            assert answer == [x / 2 + 3 for x in sent]

    def test_types(self, prediction):
        inputs = {
            "f64": np.array([0.1, np.nan]),
            "i8": np.int8([-3, 4]),
            "i64": np.int64([-(2**63), 1]),
            "u8": np.uint8([0, 255]),
            "u64": np.uint64([0, 2**64 - 1]),
            "flag": np.array([True, False]),
            "text": np.array([b"\xff\x00", b""], object),
        }
        outputs = prediction.Predict(predict_request("types", **inputs)).outputs
        for name, value in inputs.items():
            np.testing.assert_array_equal(tf.make_ndarray(outputs[f"{name}_out"]), value)
        half = prediction.Predict(predict_request("half_out", x=np.float32([1.5]))).outputs["y"]
        assert tf.make_ndarray(half).dtype == np.float16
        assert tf.make_ndarray(half).tolist() == [1.5]
        empty = prediction.Predict(predict_request("echo", x=np.zeros([0, 3], np.float32)))
        assert tf.make_ndarray(empty.outputs["y"]).shape == (0, 3)

    def test_filter_and_default(self, prediction):
        a = np.float32([1.0])
        outputs = prediction.Predict(predict_request("add", filters=["total"], a=a)).outputs
        assert {name: list(value.float_val) for name, value in outputs.items()} == {"total": [11.0]}

    def test_signature_without_inputs(self, prediction):
        assert prediction.Predict(predict_request("constant")).outputs["y"].float_val == [3.0]

    def test_messages_beyond_the_usual_4_mebibytes(self, prediction):
        x = np.random.default_rng(0).normal(size=3_000_000).astype(np.float32)
        answer = prediction.Predict(predict_request("echo", x=x)).outputs["y"]
        np.testing.assert_array_equal(tf.make_ndarray(answer), x)

    @pytest.mark.parametrize(
        ("signature", "inputs", "filters", "code", "message"),
        [
            ("s", {"x": X}, (), "FAILED_PRECONDITION", 'Serving signature key "s" not found.'),
            (
                "", {"x": X, "q": X}, (), "INVALID_ARGUMENT",
                "input size does not match signature: 2!=1 len({q,x}) != len({x}). "
                "Sent extra: {q}. Missing but required: {}.",
            ),
            (
                "", {}, (), "INVALID_ARGUMENT",
                "input size does not match signature: 0!=1 len({}) != len({x}). "
                "Sent extra: {}. Missing but required: {x}.",
            ),
            (
                "", {"q": X}, (), "INVALID_ARGUMENT",
                "Signature input alias: x(feed name: serving_default_x:0) not found in request and "
                "no default value provided. Inputs expected to be in the request {q}, or default "
                "input alias set: ",
            ),
            (
                "", {"x": np.float64([1.0])}, (), "INVALID_ARGUMENT",
                re.compile("Expects arg\\[0\\] to be float but double is provided.*"),
            ),
            (
                "matmul", {"x": np.ones([1, 3], np.float32)}, (), "INVALID_ARGUMENT",
                re.compile("Matrix size-incompatible: In\\[0\\]: \\[1,3\\].*", re.S),
            ),
            (
                "add", {"a": X, "b": X}, ["z"], "INVALID_ARGUMENT",
                "output tensor alias not found in signature: z Outputs expected to be in the set "
                "{difference,total}.",
            ),
            (
                "add", {"a": X, "b": X}, ["total", "total"], "INVALID_ARGUMENT",
                "duplicate output tensor alias: total",
            ),
            (
                "__saved_model_init_op", {}, (), "OUT_OF_RANGE",
                "Node 'NoOp' (type: 'NoOp', num of outputs: 0) does not have output 0",
            ),
        ],
    )  # fmt: skip
    def test_errors(self, prediction, signature, inputs, filters, code, message):
        request = predict_request(signature, filters=filters, **inputs)
        refused(prediction.Predict, request, code, message)

    @pytest.mark.parametrize(
        "text",
        [
            "float_val: 1",
            "dtype: DT_FLOAT tensor_shape { dim { size: -1 } } float_val: 1",
            "dtype: DT_FLOAT tensor_shape { unknown_rank: true } float_val: 1",
            'dtype: DT_FLOAT tensor_shape { dim { size: 2 } } tensor_content: "abc"',
            "dtype: DT_FLOAT tensor_shape { dim { size: 9999999 } dim { size: 99999 } } float_val: 1",
            "dtype: DT_RESOURCE",
            'dtype: DT_STRING tensor_shape { dim { size: 9 } } tensor_content: "\\377\\377"',
            "dtype: 99999",
        ],
    )
    def test_bad_tensors(self, prediction, text):
        proto = request_of(tensor_pb2.TensorProto, text)
        request = predict_request(x=proto)
        refused(prediction.Predict, request, "INVALID_ARGUMENT", "tensor parsing error: x")

    def test_deadline(self, prediction):
        request = predict_request("slow", n=np.int32(2_000_000_000))
        with pytest.raises(grpc.RpcError) as caught:
            prediction.Predict(request, timeout=1)
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert list(prediction.Predict(predict_request(x=X)).outputs["y"].float_val) == [3.5, 4.0]


SPEC_ERRORS = [
    ("", "INVALID_ARGUMENT", "Missing ModelSpec"),
    ("model_spec {}", "INVALID_ARGUMENT", "ModelSpec has no name specified."),
    ('model_spec { name: "m" }', "NOT_FOUND", "Servable not found for request: Latest(m)"),
    (
        'model_spec { name: "m" version { value: 9 } }',
        "NOT_FOUND",
        "Servable not found for request: Specific(m, 9)",
    ),
    (
        'model_spec { name: "plus_two" version_label: "" }',
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: ",
    ),
]


@pytest.mark.parametrize(("text", "code", "message"), SPEC_ERRORS)
@pytest.mark.parametrize("call", ["Predict", "Classify", "Regress", "GetModelMetadata"])
def test_model_spec(prediction, call, text, code, message):
    kind = {
        "Predict": predict_pb2.PredictRequest,
        "Classify": classification_pb2.ClassificationRequest,
        "Regress": regression_pb2.RegressionRequest,
        "GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
    }[call]
    request = request_of(kind, text)
    if call == "GetModelMetadata":
        request.metadata_field.append("signature_def")
    refused(getattr(prediction, call), request, code, message)


def fill_examples(request, *values):
    for value in values:
        example = request.input.example_list.examples.add()
        example.features.feature["x"].float_list.value.append(value)
    return request


def spec(signature):
    return f'model_spec {{ name: "plus_two" signature_name: "{signature}" }}'


class TestExamples:
    def test_classify(self, prediction):
        request = request_of(classification_pb2.ClassificationRequest, spec("classify"))
        response = prediction.Classify(fill_examples(request, 1.5, -2.0))
        rows = [
            [(found.label, found.score) for found in row.classes]
            for row in response.result.classifications
        ]
        assert rows == [[("low", -1.5), ("high", 1.5)], [("low", 2.0), ("high", -2.0)]]
        assert response.model_spec.version.value == 2

    def test_regress(self, prediction):
        request = request_of(regression_pb2.RegressionRequest, spec("regress"))
        response = prediction.Regress(fill_examples(request, 1.0, 2.0))
        assert [row.value for row in response.result.regressions] == [3.5, 4.0]

    def test_errors(self, prediction):
        kind = classification_pb2.ClassificationRequest
        unknown = fill_examples(request_of(kind, spec("s")), 1.0)
        message = "No signature was found with the name: s"
        refused(prediction.Classify, unknown, "INVALID_ARGUMENT", message)
        empty = request_of(kind, spec("classify"))
        refused(prediction.Classify, empty, "INVALID_ARGUMENT", "Input is empty.")
        wrong = fill_examples(request_of(regression_pb2.RegressionRequest, spec("classify")), 1.0)
        refused(
            prediction.Regress, wrong, "INVALID_ARGUMENT", re.compile("Expected one output Tensor.")
        )
        kindless = fill_examples(request_of(regression_pb2.RegressionRequest, spec("echo")), 1.0)
        start = re.compile("No regression inputs found in SignatureDef: .*", re.S)
        refused(prediction.Regress, kindless, "INVALID_ARGUMENT", start)

    def test_multi_inference(self, prediction):
        text = " ".join(
            f'tasks {{ {spec(name)} method_name: "tensorflow/serving/{name}" }}'
            for name in ("classify", "regress")
        )
        request = fill_examples(request_of(inference_pb2.MultiInferenceRequest, text), 1.0)
        classified, result = prediction.MultiInference(request).results
        (row,) = classified.classification_result.classifications
        assert [found.label for found in row.classes] == ["low", "high"]
        assert [row.value for row in result.regression_result.regressions] == [3.5]
        assert result.model_spec.version.value == 2

    @pytest.mark.parametrize(
        ("text", "code", "message"),
        [
            ("", "INVALID_ARGUMENT", "ModelSpec has no name specified."),
            (
                f'tasks {{ {spec("regress")} method_name: "foo" }}',
                "UNIMPLEMENTED",
                "Unsupported signature method_name: foo",
            ),
            (
                f'tasks {{ {spec("s")} method_name: "tensorflow/serving/regress" }}',
                "INVALID_ARGUMENT",
                "Requested signature not found in model graph: s",
            ),
        ],
    )
    def test_errors_of_multi_inference(self, prediction, text, code, message):
        request = fill_examples(request_of(inference_pb2.MultiInferenceRequest, text), 1.0)
        refused(prediction.MultiInference, request, code, message)


class TestMetadata:
    def test_signatures(self, prediction):
        request = request_of(
            get_model_metadata_pb2.GetModelMetadataRequest,
            'model_spec { name: "plus_two" version_label: "stable" } '
            'metadata_field: "signature_def"',
        )
        response = prediction.GetModelMetadata(request)
        assert response.model_spec.version.value == 1
        assert response.model_spec.signature_name == ""
        signatures = get_model_metadata_pb2.SignatureDefMap()
        assert response.metadata["signature_def"].Unpack(signatures)
        found = signatures.signature_def
        assert found["serving_default"].inputs["x"].name == "serving_default_x:0"
        assert list(found["add"].defaults["b"].float_val) == [10.0]
        assert "__saved_model_init_op" in found

    @pytest.mark.parametrize(
        ("field", "message"),
        [
            ("", "GetModelMetadataRequest must specify at least one metadata_field"),
            ('metadata_field: "foo"', "Metadata field foo is not supported"),
        ],
    )
    def test_errors(self, prediction, field, message):
        text = f'model_spec {{ name: "plus_two" }} {field}'
        request = request_of(get_model_metadata_pb2.GetModelMetadataRequest, text)
        refused(prediction.GetModelMetadata, request, "INVALID_ARGUMENT", message)


class TestModelService:
    def test_status(self, models):
        request = get_model_status_pb2.GetModelStatusRequest(
            model_spec=model_pb2.ModelSpec(name="plus_two", version_label="ignored")
        )
        found = models.GetModelStatus(request).model_version_status
        assert [(status.version, status.state) for status in found] == [(2, 30), (1, 30)]

    @pytest.mark.parametrize(
        ("text", "code", "message"),
        [
            ("", "INVALID_ARGUMENT", "Missing ModelSpec"),
            ('model_spec { name: "m" }', "NOT_FOUND", "Could not find any versions of model m"),
            (
                'model_spec { name: "vae" version { value: 9 } }',
                "NOT_FOUND",
                "Could not find version 9 of model vae",
            ),
        ],
    )
    def test_errors_of_status(self, models, text, code, message):
        request = request_of(get_model_status_pb2.GetModelStatusRequest, text)
        refused(models.GetModelStatus, request, code, message)

    def test_reload_refuses(self, models):
        refused(
            models.HandleReloadConfigRequest,
            model_management_pb2.ReloadConfigRequest(),
            "INVALID_ARGUMENT",
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
            "ModelConfigList is currently supported",
        )
        text = 'config { model_config_list { config { name: "a" base_path: "lm" } } }'
        request = request_of(model_management_pb2.ReloadConfigRequest, text)
        message = "Expected model a to have an absolute path or URI; got base_path()=lm"
        refused(models.HandleReloadConfigRequest, request, "INVALID_ARGUMENT", message)


def test_reload_adds_labels_and_removes(embedded, model_folder):
    def model(name, more=""):
        base_path = model_folder / name
        return f'config {{ name: "{name}" base_path: "{base_path}" {PLATFORM} {more} }}'

    with (
        local(str(model_folder / "plus_two"), "plus_two", rest_api_port=0) as server,
        grpc.insecure_channel(server.grpc_address) as channel,
    ):
        models = model_service_pb2_grpc.ModelServiceStub(channel)
        prediction = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        def reload(*listed):
            text = f"config {{ model_config_list {{ {' '.join(listed)} }} }}"
            request = request_of(model_management_pb2.ReloadConfigRequest, text)
            answer = models.HandleReloadConfigRequest(request, timeout=30)
            assert (answer.HasField("status"), answer.status.error_code) == (True, 0)

        def states(name):
            request = get_model_status_pb2.GetModelStatusRequest()
            request.model_spec.name = name
            found = models.GetModelStatus(request, timeout=30).model_version_status
            return {status.version: status.State.Name(status.state) for status in found}

        labelled = predict_request(x=X)
        labelled.model_spec.version_label = "stable"
        no_label = "Unrecognized servable version label: stable"
        refused(prediction.Predict, labelled, "INVALID_ARGUMENT", no_label)

        reload(model("plus_two", 'version_labels { key: "stable" value: 3 }'), model("vae"))
        assert states("vae") == {1: "AVAILABLE"}
        encode = predict_request("encode", "vae", x=np.zeros([1, 6], np.float32))
        assert prediction.Predict(encode, timeout=30).outputs.keys() == {"mean", "stddev"}
        assert prediction.Predict(labelled, timeout=30).model_spec.version.value == 3

        reload(model("vae"))
        refused(prediction.Predict, labelled, "INVALID_ARGUMENT", no_label)
        end = time.monotonic() + 10
        while states("plus_two") != {3: "END"}:
            assert time.monotonic() < end
            time.sleep(0.05)
        message = "Servable not found for request: Latest(plus_two)"
        refused(prediction.Predict, predict_request(x=X), "NOT_FOUND", message)
        assert prediction.Predict(encode, timeout=30).model_spec.version.value == 1

        reload(model("plus_two"), model("vae"))
        assert prediction.Predict(predict_request(x=X), timeout=30).model_spec.version.value == 3


def test_health_and_reflection(embedded, channel):
    health = health_pb2_grpc.HealthStub(channel)
    for name in ("", *SERVICES):
        status = health.Check(health_pb2.HealthCheckRequest(service=name)).status
        assert status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.RpcError) as caught:
        health.Check(health_pb2.HealthCheckRequest(service="other"))
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    asked = reflection_pb2.ServerReflectionRequest(list_services="")
    (answer,) = stub.ServerReflectionInfo(iter([asked]))
    listed = {service.name for service in answer.list_services_response.service}
    assert listed >= SERVICES


def test_long_messages_are_cut(prediction):
    request = predict_request(**{"q" * 3000: X})
    with pytest.raises(grpc.RpcError) as caught:
        prediction.Predict(request)
    assert caught.value.details().endswith("...TRUNCATED")
    assert len(caught.value.details()) == 1024 + len("...TRUNCATED")


def test_unknown_calls(channel):
    for path in ("/tensorflow.serving.PredictionService/Nothing", "/a.B/C"):
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(path)(b"", timeout=10)
        assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
