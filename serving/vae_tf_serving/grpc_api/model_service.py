"""tensorflow.serving.ModelService."""

import threading

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2
from tensorflow_serving.config import model_server_config_pb2

from vae_tf_serving.core.batching.future import ResultFuture
from vae_tf_serving.core.batching.future_bridge import FutureBridge
from vae_tf_serving.core.batching.task import deadline_after
from vae_tf_serving.core.models.manager import ModelManager
from vae_tf_serving.grpc_api.calls import service
from vae_tf_serving.status import Code, StatusError

NAME = "tensorflow.serving.ModelService"


class ModelService:
    """GetModelStatus and HandleReloadConfigRequest.

    Args:
        manager: The models.
        bridge: That of the event loop that runs the calls.
    """

    def __init__(self, manager: ModelManager, bridge: FutureBridge) -> None:
        self._manager = manager
        self._bridge = bridge

    def handler(self) -> grpc.GenericRpcHandler:
        """Returns the handler that a gRPC server registers."""
        calls = {
            "GetModelStatus": (get_model_status_pb2.GetModelStatusRequest, self.status),
            "HandleReloadConfigRequest": (model_management_pb2.ReloadConfigRequest, self.reload),
        }
        return service(NAME, calls)

    async def status(
        self, request: get_model_status_pb2.GetModelStatusRequest, timeout: float | None
    ) -> bytes:
        """Returns the states of the versions of a model; a label is ignored, as upstream.

        Raises:
            StatusError: No ModelSpec, or an unknown model or version.
        """
        if not request.HasField("model_spec"):
            raise StatusError(Code.INVALID_ARGUMENT, "Missing ModelSpec")
        spec = request.model_spec
        version = spec.version.value if spec.WhichOneof("version_choice") == "version" else None
        statuses = self._manager.status(spec.name, version)
        response = get_model_status_pb2.GetModelStatusResponse(model_version_status=statuses)
        return response.SerializeToString()

    async def reload(
        self, request: model_management_pb2.ReloadConfigRequest, timeout: float | None
    ) -> bytes:
        """Replaces the list of models, and waits until the new ones are AVAILABLE.

        The increases of `metric_names` are not reported.

        Raises:
            StatusError: The list is invalid, or a new model cannot be loaded.
        """
        if request.config.WhichOneof("config") != "model_config_list":
            raise StatusError(
                Code.INVALID_ARGUMENT,
                "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
                "ModelConfigList is currently supported",
            )
        deadline = deadline_after(timeout)
        done: ResultFuture[None] = ResultFuture()
        # Not a thread of a pool, since the end of the process would wait for its load to end.
        threading.Thread(
            target=self._reload, args=(request.config, deadline, done), daemon=True
        ).start()
        await self._bridge.wait(done, deadline)
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()
        return response.SerializeToString()

    def _reload(
        self,
        config: model_server_config_pb2.ModelServerConfig,
        deadline: float | None,
        done: ResultFuture[None],
    ) -> None:
        if not done.start():
            return
        try:
            self._manager.reload(config, deadline)
        except Exception as error:
            done.set_exception(error)
        else:
            done.set_result(None)
