"""The manifests against Kubernetes' schemas, and what the schemas cannot know."""

import re
import subprocess
from typing import Any

import kubernetes_validate
import pytest

from tests.serving.deploy.paths import DEPLOY, documents, load, tool
from vae_tf_serving.core.config import text_protos
from vae_tf_serving.startup import flags

VERSIONS = ("1.30", kubernetes_validate.latest_version())
BASE = DEPLOY / "kubernetes" / "base"
KSERVE = {
    "minReplicas",
    "maxReplicas",
    "scaleMetric",
    "scaleTarget",
    "timeout",
    "canaryTrafficPercent",
}


def rendered(folder: str) -> list[dict[str, Any]]:
    kubectl = tool("kubectl", "kubernetes-client")
    command = [kubectl, "kustomize", DEPLOY / folder]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return documents(run.stdout)


def manifest(kind: str) -> dict[str, Any]:
    (found,) = [d for f in BASE.glob("*.yaml") for d in [load(f)] if d["kind"] == kind]
    return found


@pytest.fixture
def pod():
    return manifest("Deployment")["spec"]["template"]


@pytest.fixture
def server(pod):
    (container,) = pod["spec"]["containers"]
    return container


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_fit_the_schemas(version):
    names = load(BASE / "kustomization.yaml")["resources"]
    files = [BASE / name for name in names if name.endswith(".yaml")]
    assert {*files, BASE / "kustomization.yaml"} == set(BASE.glob("*.yaml"))
    for file in files:
        kubernetes_validate.validate(load(file), version, strict=True)


def test_schemas_refuse_a_misspelt_field():
    wrong = manifest("Deployment")
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("folder", ["kubernetes/base", "kubernetes/cpu"])
def test_kustomizations_render_to_valid_objects(folder):
    objects = rendered(folder)
    for found in objects:
        kubernetes_validate.validate(found, VERSIONS[-1], strict=True)
    by_kind = {found["kind"]: found for found in objects}
    assert len(by_kind) == len(objects) == 8
    spec = by_kind["Deployment"]["spec"]["template"]["spec"]
    mounted = {volume["configMap"]["name"] for volume in spec["volumes"] if "configMap" in volume}
    assert mounted == {by_kind["ConfigMap"]["metadata"]["name"]}
    assert set(by_kind["ConfigMap"]["data"]) == {
        "batching.config",
        "healthcheck.sh",
        "models.config",
        "monitoring.config",
    }
    gpus = spec["containers"][0]["resources"]["limits"].get("nvidia.com/gpu")
    assert (gpus, "tolerations" in spec) == (
        ("1", True) if folder.endswith("base") else (None, False)
    )


def _reach(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


def test_everything_selects_the_server(pod):
    labels = pod["metadata"]["labels"]
    policy = manifest("NetworkPolicy")["spec"]
    assert _reach(manifest("Deployment")["spec"]["selector"]["matchLabels"], labels)
    assert _reach(manifest("Service")["spec"]["selector"], labels)
    assert _reach(manifest("PodDisruptionBudget")["spec"]["selector"]["matchLabels"], labels)
    assert _reach(policy["podSelector"]["matchLabels"], labels)
    target = manifest("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert target["name"] == manifest("Deployment")["metadata"]["name"]


def test_clients_are_let_in_as_rendered():
    """Kustomize can add the server's labels to selectors, these among them."""
    (policy,) = [o for o in rendered("kubernetes/base") if o["kind"] == "NetworkPolicy"]
    (source,) = policy["spec"]["ingress"][0]["from"]
    assert source == {"podSelector": {"matchLabels": {"vae-serving-client": "true"}}}


def test_ports_are_the_servers(server):
    options = flags.parse(server["args"])
    ports = {port["name"]: port["containerPort"] for port in server["ports"]}
    assert ports == {"grpc": options.port, "rest": options.rest_api_port}
    for port in manifest("Service")["spec"]["ports"]:
        assert port["port"] == ports[port["targetPort"]]
    rules = manifest("NetworkPolicy")["spec"]["ingress"]
    assert {port["port"] for rule in rules for port in rule["ports"]} == set(ports)
    assert server["livenessProbe"]["httpGet"]["port"] in ports


def test_a_rollout_loses_no_request(pod, server):
    strategy = manifest("Deployment")["spec"]["strategy"]
    assert strategy["type"] == "RollingUpdate"
    assert strategy["rollingUpdate"]["maxUnavailable"] == 0
    assert "replicas" not in manifest("Deployment")["spec"]  # or each rollout undoes the autoscaler
    command, seconds = server["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    options = flags.parse(server["args"])
    channel = dict(pair.split("=") for pair in options.grpc_channel_arguments.split(","))
    age, grace = (
        int(channel[f"grpc.max_connection_age{part}_ms"]) / 1000 for part in ("", "_grace")
    )
    endpoints_are_updated = 5
    # gRPC varies the age by a tenth. A request begun on the last moment of a connection must end, too.
    assert float(seconds) >= endpoints_are_updated + 1.1 * age + grace
    assert float(seconds) >= endpoints_are_updated + options.rest_api_timeout_in_ms / 1000
    assert pod["spec"]["terminationGracePeriodSeconds"] > float(seconds)


def test_probes_ask_the_status_api(server):
    (model,) = text_protos.model_server_config(
        DEPLOY / "config" / "models.config"
    ).model_config_list.config
    asked = ["bash", "/etc/tf_serving/healthcheck.sh", model.name, "8501"]
    assert server["readinessProbe"]["exec"]["command"] == asked
    assert server["startupProbe"]["exec"]["command"] == asked
    assert server["livenessProbe"]["httpGet"]["path"] == f"/v1/models/{model.name}"
    mounts = {mount["mountPath"]: mount for mount in server["volumeMounts"]}
    assert mounts["/models"]["readOnly"]
    assert model.base_path.startswith("/models/")
    assert "/etc/tf_serving" in mounts


def test_server_has_no_rights_and_a_gpu(pod, server):
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert server["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert server["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert manifest("NetworkPolicy")["spec"]["egress"] == []


def _check_inference_service(service: dict[str, Any]) -> dict[str, Any]:
    assert service["apiVersion"] == "serving.kserve.io/v1beta1"
    assert list(service["spec"]) == ["predictor"]
    predictor = service["spec"]["predictor"]
    # A predictor is a PodSpec with a few fields more.
    spec = {name: value for name, value in predictor.items() if name not in KSERVE}
    as_pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "vae"}, "spec": spec}
    kubernetes_validate.validate(as_pod, VERSIONS[-1], strict=True)
    (container,) = predictor["containers"]
    assert container["name"] == "kserve-container"
    assert [port["containerPort"] for port in container["ports"]] == [8501]
    return predictor


def test_inference_service_is_a_pod_for_knative():
    predictor = _check_inference_service(load("kserve/stable/inference_service.yaml"))
    assert "canaryTrafficPercent" not in predictor
    assert "securityContext" not in predictor  # Knative needs a feature flag for it


def test_canary_is_another_release_with_a_part_of_the_traffic():
    (stable,), (canary,) = rendered("kserve/stable"), rendered("kserve/canary")
    before, after = _check_inference_service(stable), _check_inference_service(canary)
    assert 0 < after.pop("canaryTrafficPercent") < 50
    old, new = (part["containers"][0].pop("image") for part in (before, after))
    assert old != new
    assert re.sub(r"\d+$", "", old) == re.sub(r"\d+$", "", new) == "vae-serving:"
    assert before == after
