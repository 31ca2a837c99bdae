"""The metrics page."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from vae_tf_serving.metrics import Metrics
from vae_tf_serving.status import Code, StatusError

PAGE = "/monitoring/prometheus/metrics"
REQUESTS = ":tensorflow:serving:request_count"
COUNTED = f"{REQUESTS}_total"  # the parser's name for it, not the page's
LATENCY = ":tensorflow:serving:request_latency"


def samples(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def count(rest, **labels):
    return samples(rest.get(PAGE).text).get((COUNTED, *sorted(labels.items())), 0)


def test_page_of_a_server(rest):
    before = [count(rest, model_name="plus_two", status=status) for status in ("OK", "NOT_FOUND")]
    rest.post("/v1/models/plus_two:predict", content='{"instances": [1]}')
    rest.get("/v1/models/plus_two/versions/9")
    after = [count(rest, model_name="plus_two", status=status) for status in ("OK", "NOT_FOUND")]
    assert [a - b for a, b in zip(after, before, strict=True)] == [1, 1]
    response = rest.get(PAGE)
    assert response.headers["content-type"].startswith("text/plain")
    assert "# HELP" not in response.text
    assert f"# TYPE {REQUESTS} counter\n" in response.text
    labels = '{model_name="plus_two",API="predict",entrypoint="REST",le="18"}'
    assert f"{LATENCY}_bucket{labels} " in response.text


def test_exact_path(rest):
    assert rest.post(PAGE).status_code == 200
    assert rest.get(f"{PAGE}/").status_code == 404
    response = rest.get(f"{PAGE}?x=1")
    assert response.status_code == 400
    assert response.text == f"Unexpected path: {PAGE}?x=1. Should be {PAGE}"


def test_every_sample_of_a_used_registry():
    metrics = Metrics()
    missing = StatusError(Code.NOT_FOUND, "m")
    metrics.answered("m", "Predict", "GRPC", None, 15e-6)
    metrics.answered('a"\\\n', "Predict", "GRPC", missing, 1)
    metrics.ran("m", "Predict", 2e-3)
    metrics.examples("m", 3)
    metrics.batch_processed(3, 1, [1e-5, 2e-5])
    metrics.load_attempted("m", 1, 0.5, None)
    metrics.state_changed("m", 1, 30, None)
    metrics.state_changed("m", 2, 30, None)
    metrics.state_changed("m", 1, 50, None)
    metrics.state_changed("m", 3, 50, None)
    text = metrics.page().decode()
    found = samples(text)
    api = (("API", "Predict"), ("entrypoint", "GRPC"))
    name = ("model_name", "m")
    assert found[COUNTED, name, ("status", "OK")] == 1
    assert found[COUNTED, ("model_name", 'a"\\\n'), ("status", "NOT_FOUND")] == 1
    bucket = f"{LATENCY}_bucket"
    assert found[bucket, *api, ("le", "10"), name] == 0
    assert found[bucket, *api, ("le", "18"), name] == 1
    assert found[f"{LATENCY}_count", *api, name] == 1  # successes only
    assert found[":tensorflow:serving:request_example_count_total", ("model", "m")] == 3
    sessions = ":tensorflow:serving:batching_session:"
    assert found[f"{sessions}processed_batch_size_sum",] == 4
    assert found[f"{sessions}wrapped_run_count_total",] == 1
    assert f"{sessions}wrapped_run_count{{}} 1" in text  # braces always
    versions = [key for key in found if key[0] == ":tensorflow:serving:mlmd_map"]
    assert versions == [(":tensorflow:serving:mlmd_map", name, ("version", "2"))]
    assert not any(line.endswith("_created") for line in text.splitlines())


def test_names_from_clients_are_bounded():
    metrics = Metrics()
    for number in range(10_100):
        metrics.answered(f"m{number}", "", "REST", StatusError(Code.NOT_FOUND, ""), 0)
    found = samples(metrics.page().decode())
    assert found[COUNTED, ("model_name", ""), ("status", "NOT_FOUND")] == 100
    metrics.state_changed("loaded", 1, 30, None)  # a model of the server is counted all the same
    metrics.answered("loaded", "predict", "REST", None, 0)
    metrics.ran("loaded", "predict", 0)
    found = samples(metrics.page().decode())
    assert found[COUNTED, ("model_name", "loaded"), ("status", "OK")] == 1
    assert (":tensorflow:serving:runtime_latency_count", ("API", "predict"),
            ("model_name", "loaded"), ("runtime", "TF1")) in found  # fmt: skip


def test_names_from_clients_are_cut():
    metrics = Metrics()
    metrics.answered("m" * 10_000, "", "REST", StatusError(Code.NOT_FOUND, ""), 0)
    metrics.state_changed("n" * 200, 1, 30, None)
    metrics.answered("n" * 200, "predict", "REST", None, 0)
    found = samples(metrics.page().decode())
    assert found[COUNTED, ("model_name", "m" * 128), ("status", "NOT_FOUND")] == 1
    assert found[COUNTED, ("model_name", "n" * 200), ("status", "OK")] == 1


def test_no_page_without_a_configuration(embedded, model_folder):
    from vae_tf_serving.server import local

    with local(str(model_folder / "vae"), "vae", port=0) as server:
        response = httpx.get(f"http://{server.rest_address}{PAGE}")
    assert response.status_code == 404


@pytest.mark.parametrize("call", ["Predict"])
def test_grpc_is_counted_too(rest, prediction, call):
    from tensorflow_serving.apis import predict_pb2

    before = count(rest, model_name="none", status="NOT_FOUND")
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "none"
    with pytest.raises(Exception, match="Servable not found"):
        getattr(prediction, call)(request)
    assert count(rest, model_name="none", status="NOT_FOUND") == before + 1
