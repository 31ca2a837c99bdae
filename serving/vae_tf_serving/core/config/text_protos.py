"""Reads the text-proto files of TensorFlow Serving.

`tensorflow-serving-api` has no module for three of the messages. They are described here, in a
descriptor pool of their own; their field numbers are arbitrary, since only their text form is read.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from google.protobuf.message import Message
from tensorflow_serving.config import model_server_config_pb2

from vae_tf_serving.status import Code, StatusError

_Proto = TypeVar("_Proto", bound=Message)
_Field = descriptor_pb2.FieldDescriptorProto
_INT64, _BOOL, _STRING = (
    f".google.protobuf.{name}" for name in ("Int64Value", "BoolValue", "StringValue")
)

# message -> field -> (type, whether repeated); a leading dot marks the name of a message type
_MESSAGES: dict[str, dict[str, tuple[str | int, bool]]] = {
    "BatchingParameters": {
        "max_batch_size": (_INT64, False),
        "batch_timeout_micros": (_INT64, False),
        "max_enqueued_batches": (_INT64, False),
        "num_batch_threads": (_INT64, False),
        "thread_pool_name": (_STRING, False),
        "allowed_batch_sizes": (_Field.TYPE_INT64, True),
        "pad_variable_length_inputs": (_Field.TYPE_BOOL, False),
        "enable_large_batch_splitting": (_BOOL, False),
        "max_execution_batch_size": (_INT64, False),
    },
    "PrometheusConfig": {
        "enable": (_Field.TYPE_BOOL, False),
        "path": (_Field.TYPE_STRING, False),
    },
    "MonitoringConfig": {"prometheus_config": (".tensorflow.serving.PrometheusConfig", False)},
    "SSLConfig": {
        "server_key": (_Field.TYPE_STRING, False),
        "server_cert": (_Field.TYPE_STRING, False),
        "custom_ca": (_Field.TYPE_STRING, False),
        "client_verify": (_Field.TYPE_BOOL, False),
    },
}


class ConfigError(StatusError):
    """Configuration file that cannot be read or parsed.

    Attributes:
        detail: str. Further line that TensorFlow Serving writes on stderr, such as "Error parsing
            text-format tensorflow.serving.ModelServerConfig: 3:5: ..."; "" if the file could not
            be read.
        line: int or None. Line of the error, from 1.
        column: int or None. Column of the error, from 1.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        detail: str = "",
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(code, message)
        self.detail = detail
        self.line = line
        self.column = column


def model_server_config(
    path: str | os.PathLike[str],
) -> model_server_config_pb2.ModelServerConfig:
    """Reads the file of `--model_config_file`.

    Raises:
        ConfigError: The file cannot be read (NOT_FOUND), is empty or cannot be parsed
            (INVALID_ARGUMENT).
    """
    return _read(path, model_server_config_pb2.ModelServerConfig())


def batching_parameters(path: str | os.PathLike[str]) -> Any:
    """Reads a `BatchingParameters`: `--batching_parameters_file`, `batching_params.pbtxt`.

    Raises:
        ConfigError: See `model_server_config`.
    """
    return _read(path, _message("BatchingParameters"))


def monitoring_config(path: str | os.PathLike[str]) -> Any:
    """Reads a `MonitoringConfig`: `prometheus_config { enable: true path: "..." }`.

    Raises:
        ConfigError: See `model_server_config`.
    """
    return _read(path, _message("MonitoringConfig"))


def ssl_config(path: str | os.PathLike[str]) -> Any:
    """Reads an `SSLConfig`; its fields hold PEM contents, not paths.

    Raises:
        ConfigError: See `model_server_config`.
    """
    return _read(path, _message("SSLConfig"))


def _read(path: str | os.PathLike[str], proto: _Proto) -> _Proto:
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(Code.NOT_FOUND, f"{path}; {error.strerror}") from error
    except OSError as error:
        raise ConfigError(Code.FAILED_PRECONDITION, f"{path}; {error.strerror}") from error
    if not content:
        raise ConfigError(Code.INVALID_ARGUMENT, f"{path}; Invalid argument")
    try:
        return text_format.Parse(content, proto)
    except (text_format.ParseError, UnicodeDecodeError) as error:
        line = getattr(error, "GetLine", lambda: None)()
        column = getattr(error, "GetColumn", lambda: None)()
        # The parser puts "line:column : " before its reason.
        reason = str(error).split(" : ", 1)[-1].strip()
        where = f"line {line}, column {column}: " if line else ""
        raise ConfigError(
            Code.INVALID_ARGUMENT,
            f"Invalid protobuf file: '{path}' ({where}{reason})",
            f"Error parsing text-format {proto.DESCRIPTOR.full_name}: {line}:{column}: {reason}",
            line,
            column,
        ) from error


def _message(name: str) -> Any:
    pool = _pool()
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName(f"tensorflow.serving.{name}")
    )()


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    file = descriptor_pb2.FileDescriptorProto(
        name="vae_tf_serving/configs.proto",
        package="tensorflow.serving",
        syntax="proto3",
        dependency=[wrappers.name],
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field, (kind, repeated)) in enumerate(fields.items(), start=1):
            label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
            described = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                described.type, described.type_name = _Field.TYPE_MESSAGE, kind
            else:
                described.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(wrappers)
    pool.Add(file)
    return pool
