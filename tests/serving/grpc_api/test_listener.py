"""The servers behind one gRPC port."""

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from vae_tf_serving.server import Server
from vae_tf_serving.startup.flags import AUTO_PORT, Options

CONNECTIONS = 20


@pytest.mark.parametrize("arguments", ["", "grpc.so_reuseport=0"])
def test_every_connection_reaches_the_services(embedded, model_folder, tmp_path, arguments):
    options = Options(
        port=AUTO_PORT,
        model_base_path=str(model_folder / "vae"),
        grpc_socket_path=str(tmp_path / "socket"),
        grpc_channel_arguments=arguments,
        enable_grpc_healthcheck_service=True,
    )
    own = [("grpc.use_local_subchannel_pool", 1)]  # a connection of its own
    with Server(options) as running:
        addresses = [running.grpc_address] * CONNECTIONS + [f"unix:{tmp_path / 'socket'}"] * 2
        channels = [grpc.insecure_channel(address, own) for address in addresses]
        for channel in channels:
            stub = health_pb2_grpc.HealthStub(channel)
            answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=20)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
    for channel in channels:
        with pytest.raises(grpc.RpcError) as refused:
            health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=20)
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
        channel.close()
