"""Command line of the server: TensorFlow Serving's flags and defaults, and flags of its own.

This module does not import TensorFlow.
"""

import dataclasses
import difflib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

logger = logging.getLogger(__name__)

AUTO_PORT = -1
"""Value of `--port=auto` and `--rest_api_port=auto`: a free port, which is logged."""


class FlagError(ValueError):
    """Unknown flag or invalid value; the message is one sentence."""


def _flag(default: Any, text: str, kind: str = "") -> Any:
    return field(default=default, metadata={"help": text, "kind": kind or type(default).__name__})


@dataclass(frozen=True)
class Options:
    """Values of the flags, with the names, meanings and defaults of TensorFlow Serving.

    The last group has flags of this server. Port 0 switches a front end off, as upstream.
    """

    port: int = _flag(8500, "gRPC port; 0: off; auto: a free one", "port")
    grpc_socket_path: str = _flag("", "Unix socket on which gRPC listens as well")
    rest_api_port: int = _flag(0, "REST port; 0: off; auto: a free one", "port")
    rest_api_timeout_in_ms: int = _flag(30000, "time a REST call may run; 0 or less: for ever")
    rest_api_enable_cors_support: bool = _flag(False, "add the CORS headers to every answer")
    model_name: str = _flag("default", "name of the one model")
    model_base_path: str = _flag("", "folder of its numbered version folders; absolute")
    model_config_file: str = _flag("", "text ModelServerConfig; replaces the two above")
    model_config_file_poll_wait_seconds: int = _flag(0, "re-read that file; 0: never")
    file_system_poll_wait_seconds: int = _flag(1, "look for new versions; 0: once")
    allow_version_labels_for_unavailable_models: bool = _flag(False, "labels before versions")
    max_num_load_retries: int = _flag(5, "retries after the first failure to load")
    load_retry_interval_micros: int = _flag(60_000_000, "pause between two of them")
    num_load_threads: int = _flag(0, "threads that load versions; 0: the manager's own")
    enable_model_warmup: bool = _flag(True, "run assets.extra/tf_serving_warmup_requests")
    num_request_iterations_for_warmup: int = _flag(0, "times each of them is run; 0: once")
    enable_batching: bool = _flag(False, "combine requests by the batching parameters")
    batching_parameters_file: str = _flag("", "text BatchingParameters")
    enable_per_model_batching_parameters: bool = _flag(False, "read batching_params.pbtxt")
    monitoring_config_file: str = _flag("", "text MonitoringConfig; without it no metrics page")
    ssl_config_file: str = _flag("", "text SSLConfig with PEM contents; gRPC only")
    grpc_channel_arguments: str = _flag("", "k=v,k=v for the gRPC server")
    saved_model_tags: str = _flag("serve", "comma list: which graph of the SavedModel")
    tensorflow_session_parallelism: int = _flag(0, "threads of both kinds of a session")
    tensorflow_intra_op_parallelism: int = _flag(0, "threads within an operation")
    tensorflow_inter_op_parallelism: int = _flag(0, "operations at a time")
    enable_grpc_healthcheck_service: bool = _flag(False, "grpc.health.v1 on the gRPC port")
    enable_signature_method_name_check: bool = _flag(False, "check method_name of signatures")
    enable_serialization_as_tensor_content: bool = _flag(False, "answers in tensor_content")
    version: bool = _flag(False, "print the versions and exit")

    host: str = _flag("127.0.0.1", "address to listen on; 0.0.0.0: every one, as upstream")
    engine: str = _flag("auto", "auto, embedded or tensorflow_model_server (if on the PATH)")
    rest_api_max_body_bytes: int = _flag(128 << 20, "largest request body; more is a 413")
    log_level: str = _flag("info", "debug (a line a request), info, warning or error")


OWN = ("host", "engine", "rest_api_max_body_bytes", "log_level")
"""Flags that TensorFlow Serving does not have."""

ALIASES = {"enable_cors_support": "rest_api_enable_cors_support"}

NOT_COVERED = {
    "enable_profiler": bool,
    "flush_filesystem_caches": bool,
    "grpc_max_threads": int,
    "mixed_precision": str,
    "num_tflite_interpreters_per_pool": int,
    "num_tflite_pools": int,
    "num_unload_threads": int,
    "per_process_gpu_memory_fraction": float,
    "platform_config_file": str,
    "prefer_tflite_model": bool,
    "remove_unused_fields_from_bundle_metagraph": bool,
    "rest_api_num_threads": int,
    "skip_initialize_tpu": bool,
    "tensorflow_session_config_file": str,
    "thread_pool_factory_config_file": str,
    "use_alts_credentials": bool,
    "xla_cpu_compilation_enabled": bool,
}
"""Flags of TensorFlow Serving that have no effect here; they are accepted with one warning."""

_FIELDS = {f.name: f for f in dataclasses.fields(Options)}
_BOOLS = {"true": True, "1": True, "false": False, "0": False}
_CHOICES = {
    "engine": ("auto", "embedded", "tensorflow_model_server"),
    "log_level": ("debug", "info", "warning", "error"),
}


def parse(arguments: Sequence[str]) -> Options:
    """Parses the command line.

    Flags are written `--name=value`, or, unlike in TensorFlow Serving, `--name value`. Bools are
    written `--name`, `--name=true` or `--name=false`. Of two equal flags the last is taken.

    Args:
        arguments: Without the program's name.

    Raises:
        FlagError: A flag that neither server has (with the nearest name), or an invalid value.
    """
    pairs = split(arguments)
    return check(Options(**{n: _read(n, value) for n, value in pairs if n not in NOT_COVERED}))


def warn_of_ignored(arguments: Sequence[str]) -> None:
    """Logs, in one line, the flags that have no effect in the embedded server."""
    names = sorted({f"--{name}" for name, _ in split(arguments) if name in NOT_COVERED})
    if names:
        logger.warning("flags of TensorFlow Serving without effect here: %s", ", ".join(names))


def split(arguments: Sequence[str]) -> list[tuple[str, str | None]]:
    """Splits the command line into (name, value); the value of a bool may be None.

    Raises:
        FlagError: An unknown name, a missing value, or an argument that is not a flag.
    """
    pairs: list[tuple[str, str | None]] = []
    waiting = iter(arguments)
    for argument in waiting:
        if not argument.startswith("--") or argument == "--":
            raise FlagError(f"{argument!r} is no flag; flags are written --name=value.")
        name, equals, text = argument[2:].partition("=")
        name = ALIASES.get(name, name)
        if name not in _FIELDS and name not in NOT_COVERED:
            raise FlagError(_unknown(name))
        value: str | None = text
        if not equals:
            value = None if _is_bool(name) else next(waiting, None)
            if value is None and not _is_bool(name):
                raise FlagError(f"--{name} needs a value, as in --{name}=VALUE.")
        pairs.append((name, value))
    return pairs


def check(options: Options) -> Options:
    """Checks combinations of flags.

    Raises:
        FlagError: Two flags exclude each other, or one needs another.
    """
    if not options.model_config_file and not options.model_base_path and not options.version:
        raise FlagError("no model is named: give --model_base_path or --model_config_file.")
    if options.batching_parameters_file and not options.enable_batching:
        raise FlagError("--batching_parameters_file needs --enable_batching.")
    if options.port == 0 and not options.grpc_socket_path and not options.rest_api_port:
        raise FlagError("there is nothing to listen on: give --port or --rest_api_port.")
    if options.port == options.rest_api_port > 0:
        raise FlagError("--rest_api_port cannot be the same as --port.")
    parallelism = (
        options.tensorflow_session_parallelism,
        options.tensorflow_intra_op_parallelism,
        options.tensorflow_inter_op_parallelism,
    )
    if all(parallelism):
        raise FlagError(
            "--tensorflow_session_parallelism excludes --tensorflow_intra_op_parallelism with "
            "--tensorflow_inter_op_parallelism."
        )
    return options


def usage() -> str:
    """Returns the text of `--help`: every flag with its default."""
    lines = ["usage: vae-tf serve --model_base_path=/FOLDER [--name=value ...]", ""]
    for name, flag in _FIELDS.items():
        if name == OWN[0]:
            lines += ["", "Flags that tensorflow_model_server does not have:"]
        default = flag.default if flag.default != "" else '""'
        default = str(default).lower() if isinstance(default, bool) else default
        lines.append(f"  --{name}={default}  {flag.metadata['help']}")
    lines += ["", "Accepted without effect: " + ", ".join(sorted(NOT_COVERED))]
    return "\n".join(lines)


def _is_bool(name: str) -> bool:
    if name in NOT_COVERED:
        return NOT_COVERED[name] is bool
    return _FIELDS[name].metadata["kind"] == "bool"


def _read(name: str, text: str | None) -> Any:
    kind = _FIELDS[name].metadata["kind"]
    if kind == "bool":
        if text is None:
            return True
        if text.lower() not in _BOOLS:
            raise FlagError(f"--{name} is true or false, not {text!r}.")
        return _BOOLS[text.lower()]
    assert text is not None
    if kind == "port":
        return _port(name, text)
    if kind == "int":
        try:
            return int(text)
        except ValueError:
            raise FlagError(f"--{name} is a whole number, not {text!r}.") from None
    if name in _CHOICES and text not in _CHOICES[name]:
        raise FlagError(f"--{name} is one of {', '.join(_CHOICES[name])}, not {text!r}.")
    return text


def _port(name: str, text: str) -> int:
    if text == "auto":
        return AUTO_PORT
    if text.isascii() and text.isdigit() and int(text) < 65536:
        return int(text)
    raise FlagError(f"--{name} is a port from 0 to 65535 or auto, not {text!r}.")


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, [*_FIELDS, *NOT_COVERED], n=1, cutoff=0.0)
    return f"there is no flag --{name}; the nearest is --{near[0]} (--help lists all)."
