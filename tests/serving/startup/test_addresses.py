import socket

import pytest

from vae_tf_serving.startup import addresses
from vae_tf_serving.startup.flags import AUTO_PORT
from vae_tf_serving.startup.start_error import StartError


def test_what_was_reserved_can_be_listened_on_afterwards():
    address = addresses.free(addresses.reserve("127.0.0.1", AUTO_PORT, "--port"), "--port")
    host, _, port = address.rpartition(":")
    with socket.create_server((host, int(port))):
        pass


def test_somebody_who_listened_first_is_noticed():
    reserved = addresses.reserve("127.0.0.1", AUTO_PORT, "--port")
    taken = pytest.raises(StartError, match="Address already in use; give another --port")
    with socket.create_server(reserved.getsockname()), taken:
        addresses.free(reserved, "--port")
    assert reserved.fileno() == -1
