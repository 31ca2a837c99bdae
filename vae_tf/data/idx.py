"""IDX, the file format of MNIST: big-endian header, then the numbers of one array."""

import gzip
import math
import pathlib
import re
import struct
import zlib
from typing import IO, cast

import numpy as np

from vae_tf.data.folder_walk import is_hidden
from vae_tf.utils.errors import InputError

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_NAME = re.compile(
    r"(?:.*[-_])?(train|t10k|test)[-_.](images|labels)[-_.]idx\d[-_.]ubyte(?:\.gz)?$", re.IGNORECASE
)
_BLOCK = 2**24


def find_files(folder: pathlib.Path) -> dict[tuple[str, str], pathlib.Path]:
    """The IDX files of a folder by what they hold.

    Args:
        folder: pathlib.Path. Files are named as MNIST's, `train-images-idx3-ubyte`,
            `t10k-labels-idx1-ubyte` (or `test-`), with or without `.gz`.

    Returns:
        dict from (split, kind) to path, split "train" or "test", kind "images" or "labels". Empty
        if there are none. Of a file and its `.gz` the file is taken.

    Raises:
        InputError: if two different files have the same role.
    """
    found: dict[tuple[str, str], pathlib.Path] = {}
    for path in sorted(folder.iterdir()):
        match = _NAME.match(path.name)
        # "._train-images-idx3-ubyte" is what macOS puts into archives beside the file.
        if not match or is_hidden(path.name) or not path.is_file():
            continue
        split = "train" if match[1].lower() == "train" else "test"
        role = (split, match[2].lower())
        other = found.setdefault(role, path)
        if other != path and path.name != f"{other.name}.gz":
            raise InputError(
                f"{folder} holds both {other.name} and {path.name} for the {split} {role[1]}; keep "
                "one of them in the folder."
            )
    return found


def read_idx(path: pathlib.Path) -> np.ndarray:
    """The array in an IDX file.

    Args:
        path: pathlib.Path. Plain or gzip-compressed, which is told from the content.

    Returns:
        Array of the shape and type in the header, in native byte order.

    Raises:
        InputError: naming the file if it is no IDX file, truncated, too long or damaged.
    """
    try:
        with path.open("rb") as plain:
            compressed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            if not compressed:
                return _parse(plain, path)
            with gzip.GzipFile(fileobj=plain) as stream:
                return _parse(cast(IO[bytes], stream), path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is a damaged gzip file ({error}); fetch it again.") from None


def _parse(stream: IO[bytes], path: pathlib.Path) -> np.ndarray:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES or not magic[3]:
        raise InputError(
            f"{path} is no IDX file: it starts with {magic.hex() or 'nothing'}, expected two zero "
            "bytes, a type and a number of dimensions, as 00000803 for images; fetch it again."
        )
    dtype, rank = np.dtype(_DTYPES[magic[2]]), magic[3]
    header = stream.read(4 * rank)
    if len(header) < 4 * rank:
        raise InputError(f"{path} is truncated within its header; fetch it again.")
    shape = struct.unpack(f">{rank}I", header)
    size = math.prod(shape) * dtype.itemsize
    # In blocks, because a damaged header can claim any size: no memory is asked for on its word.
    blocks: list[bytes] = []
    found = 0
    while found <= size and (block := stream.read(min(_BLOCK, size + 1 - found))):
        blocks.append(block)
        found += len(block)
    if found != size:
        problem = "is truncated" if found < size else "is too long"
        held = f"{found}" if found < size else f"more than {size}"
        raise InputError(
            f"{path} {problem}: its header says {'x'.join(map(str, shape))} values ({size} bytes), "
            f"but it holds {held} bytes of them; fetch it again."
        )
    array = np.frombuffer(b"".join(blocks), dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
