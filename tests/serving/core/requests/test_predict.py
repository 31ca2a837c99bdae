import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.inference_pb2 import MultiInferenceRequest
from tensorflow_serving.apis.regression_pb2 import RegressionRequest

from vae_tf_serving.core.execution.servable import Servable, ServableOptions, SharedThreads
from vae_tf_serving.core.execution.signature import Signature
from vae_tf_serving.core.requests.classify import (
    classify,
    multi_inference,
    multi_inference_spec,
    regress,
    serialized_examples,
)
from vae_tf_serving.core.requests.predict import check_input_names, predict
from vae_tf_serving.status import Code, StatusError

X = np.float32([[1, 2], [3, 4]])


@pytest.fixture(scope="module")
def servable(saved_models):
    shared = SharedThreads(ServableOptions())
    servable = Servable("m", 7, saved_models[2], shared)
    yield servable
    servable.close()
    shared.close()


def error(call, *arguments):
    with pytest.raises(StatusError) as caught:
        call(*arguments)
    return caught.value.code, caught.value.message


def signature(inputs, defaults=()):
    proto = SignatureDef()
    for alias in inputs:
        proto.inputs[alias].name = f"feed_{alias}:0"
    for alias in defaults:
        proto.defaults[alias].CopyFrom(tf.make_tensor_proto(np.float32(2)))
    return Signature.from_proto(proto)


def test_outputs_are_all_or_those_asked_for(servable):
    assert list(predict(servable, "", {"x": X}).result(20)) == ["total", "y"]
    answer = predict(servable, "serving_default", {"x": X}, ["y"]).result(20)
    assert list(answer) == ["y"]
    np.testing.assert_array_equal(answer["y"], 2 * X)


def test_what_a_predict_can_get_wrong(servable):
    assert error(predict, servable, "s", {"x": X}) == (
        Code.FAILED_PRECONDITION,
        'Serving signature key "s" not found.',
    )
    assert error(predict, servable, "", {"x": X}, ["z"]) == (
        Code.INVALID_ARGUMENT,
        "output tensor alias not found in signature: z Outputs expected to be in the set {total,y}.",
    )
    assert error(predict, servable, "", {"x": X}, ["y", "y"]) == (
        Code.INVALID_ARGUMENT,
        "duplicate output tensor alias: y",
    )
    code, message = error(predict(servable, "", {"x": X.astype(np.float64)}).result)
    assert code == Code.INVALID_ARGUMENT
    assert message.endswith("to be float but double is provided")
    code, message = error(predict(servable, "__saved_model_init_op", {}).result)
    assert code == Code.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("inputs", "defaults", "sent", "message"),
    [
        (
            "ab",
            "",
            "a",
            "input size does not match signature: 1!=2 len({a}) != len({a,b}). Sent extra: {}. "
            "Missing but required: {b}.",
        ),
        (
            "a",
            "a",
            "ab",
            "input size does not match signature: 2!=1 len({a,b}) != len({a}). Sent extra: {b}. "
            "Missing but required: {}.",
        ),
        (
            "ab",
            "",
            "ac",
            "Signature input alias: b(feed name: feed_b:0) not found in request and no default "
            "value provided. Inputs expected to be in the request {a,c}, or default input alias "
            "set: ",
        ),
        (
            "a",
            "a",
            "q",
            "Inputs contains invalid name. Used request inputs: , request input: q",
        ),
    ],
)
def test_names_of_inputs(inputs, defaults, sent, message):
    assert error(check_input_names, signature(inputs, defaults), set(sent)) == (
        Code.INVALID_ARGUMENT,
        message,
    )


def test_defaults_fill_what_is_missing(servable, monkeypatch):
    plain = servable.signatures["slow"]
    proto = SignatureDef()
    proto.CopyFrom(plain.proto)
    proto.defaults["n"].CopyFrom(tf.make_tensor_proto([0], tf.int64))
    monkeypatch.setitem(servable.signatures, "slow", Signature.from_proto(proto))
    np.testing.assert_array_equal(predict(servable, "slow", {"x": X}).result(20)["y"], X)
    proto.defaults["n"].tensor_content = b"123"
    monkeypatch.setitem(servable.signatures, "slow", Signature.from_proto(proto))
    assert error(predict, servable, "slow", {"x": X})[1] == "tensor parsing error: n"


def fill(request, key="", rows=2, context=False):
    request.model_spec.name = "m"
    request.model_spec.signature_name = key
    kind = "example_list_with_context" if context else "example_list"
    examples = getattr(request.input, kind)
    for row in range(rows):
        feature = examples.examples.add().features.feature
        feature["b" if context else "a"].float_list.value.extend([row, row + 1])
    if context:
        examples.context.features.feature["a"].float_list.value.extend([5, 6])
    return request


def test_classify(servable):
    answer = classify(servable, fill(ClassificationRequest(), "classify")).result(20)
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("m", 7)
    assert answer.model_spec.signature_name == "classify"
    classes = [[(c.label, c.score) for c in row.classes] for row in answer.result.classifications]
    assert classes == [[("left", 0), ("right", 2)], [("left", 2), ("right", 4)]]


def test_regress_with_context(servable):
    request = fill(RegressionRequest(), "regress", rows=3, context=True)
    answer = regress(servable, request).result(20)
    assert [r.value for r in answer.result.regressions] == [22, 22, 22]
    merged = tf.train.Example.FromString(serialized_examples(request.input)[0])
    assert set(merged.features.feature) == {"a", "b"}


def test_multi_inference(servable):
    request = MultiInferenceRequest()
    request.input.CopyFrom(fill(RegressionRequest()).input)
    for kind in ("regress", "classify"):
        task = request.tasks.add(method_name=f"tensorflow/serving/{kind}")
        task.model_spec.name, task.model_spec.signature_name = "m", kind
    assert multi_inference_spec(request).name == "m"
    first, second = multi_inference(servable, request).result(20).results
    assert [r.value for r in first.regression_result.regressions] == [2, 6]
    assert second.classification_result.classifications[1].classes[1].score == 4
    assert second.model_spec.signature_name == "classify"
    for change, expected in (
        ({"method_name": "foo"}, (Code.UNIMPLEMENTED, "Unsupported signature method_name: foo")),
        ({"signature_name": "regress"}, (3, "Duplicate evaluation of signature: regress")),
        ({"signature_name": "no"}, (3, "Requested signature not found in model graph: no")),
        (
            {"name": "n"},
            (3, "All ModelSpecs in a MultiInferenceRequest must access the same model name."),
        ),
    ):
        wrong = MultiInferenceRequest()
        wrong.CopyFrom(request)
        for field, value in change.items():
            where = wrong.tasks[1] if field == "method_name" else wrong.tasks[1].model_spec
            setattr(where, field, value)
        assert error(multi_inference, servable, wrong) == expected
    assert multi_inference_spec(MultiInferenceRequest()).name == ""


def test_what_classify_and_regress_can_get_wrong(servable):
    for call, request, expected in (
        (classify, fill(ClassificationRequest(), "no"), "No signature was found with the name: no"),
        (classify, fill(ClassificationRequest(), "classify", rows=0), "Input is empty."),
        (regress, fill(RegressionRequest(), "slow"), "Expected one input Tensor."),
        (regress, fill(RegressionRequest(), "classify"), "Expected one output Tensor."),
    ):
        assert error(call, servable, request) == (Code.INVALID_ARGUMENT, expected)
    code, message = error(regress, servable, fill(RegressionRequest(), "matmul"))
    assert code == Code.INVALID_ARGUMENT
    assert message.startswith("No regression inputs found in SignatureDef: ")
    broken = fill(RegressionRequest(), "regress")
    broken.input.example_list.examples.add()
    code, message = error(regress(servable, broken).result)
    assert code == Code.INVALID_ARGUMENT
    assert "Feature: a (data type: float) is required but could not be found" in message


def test_method_names_are_checked_on_request(saved_models):
    shared = SharedThreads(ServableOptions(check_method_names=True))
    servable = Servable("m", 1, saved_models[1], shared)
    code, message = error(classify, servable, fill(ClassificationRequest(), "classify"))
    assert code == Code.INVALID_ARGUMENT
    assert message == (
        "Expected classification signature method_name to be tensorflow/serving/classify. "
        "Was: tensorflow/serving/predict"
    )
    assert predict(servable, "", {"x": X}).result(20)["y"].shape == (2, 2)
    servable.close()
    shared.close()
