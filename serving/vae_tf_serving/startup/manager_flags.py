"""Converts the flags to the options of the model manager and of gRPC."""

from typing import Any

from vae_tf_serving.core.batching.options import BatchingOptions
from vae_tf_serving.core.config import text_protos
from vae_tf_serving.core.execution.servable import ServableOptions
from vae_tf_serving.core.models.manager_options import ManagerOptions
from vae_tf_serving.core.observer import Observer
from vae_tf_serving.startup.flags import Options


def manager_options(options: Options, observer: Observer | None) -> ManagerOptions:
    """Converts the flags to the options of the model manager.

    Raises:
        ConfigError: The file of the batching parameters cannot be read.
    """
    batching = BatchingOptions() if options.enable_batching else None
    if options.batching_parameters_file:
        parameters = text_protos.batching_parameters(options.batching_parameters_file)
        batching = BatchingOptions.from_proto(parameters)
    both = options.tensorflow_session_parallelism
    return ManagerOptions(
        servable=ServableOptions(
            tags=tuple(options.saved_model_tags.split(",")),
            intra_op_threads=options.tensorflow_intra_op_parallelism or both,
            inter_op_threads=options.tensorflow_inter_op_parallelism or both,
            batching=batching,
            per_model_batching=(
                options.enable_batching and options.enable_per_model_batching_parameters
            ),
            check_method_names=options.enable_signature_method_name_check,
        ),
        observer=observer or Observer(),
        file_system_poll_wait_seconds=options.file_system_poll_wait_seconds,
        max_num_load_retries=options.max_num_load_retries,
        load_retry_interval_micros=options.load_retry_interval_micros,
        num_load_threads=options.num_load_threads,
        allow_version_labels_for_unavailable_models=(
            options.allow_version_labels_for_unavailable_models
        ),
        enable_model_warmup=options.enable_model_warmup,
        num_request_iterations_for_warmup=options.num_request_iterations_for_warmup,
    )


def channel_options(text: str) -> list[tuple[str, Any]]:
    """Parses `k=v,k=v` of `--grpc_channel_arguments`; integers are converted."""
    pairs = [part.partition("=") for part in text.split(",") if part]
    return [(key, _integer(value)) for key, _, value in pairs]


def _integer(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text
