"""TLS and mutual TLS over gRPC."""

import datetime
import ipaddress

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.serving.client.fake import FakeModel, serve
from vae_tf_serving import Client, ServingError


class Authority:
    """Signs certificates, as files in `folder`."""

    def __init__(self, folder):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(self._sign("authority", self._key.public_key(), is_ca=True))

    def issue(self, name):
        """Paths of a key and its certificate."""
        own = ec.generate_private_key(ec.SECP256R1())
        key, cert = self._folder / f"{name}.key", self._folder / f"{name}.pem"
        key.write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        cert.write_bytes(self._sign(name, own.public_key()))
        return key, cert

    def _sign(self, name, public_key, is_ca=False):
        now = datetime.datetime.now(datetime.UTC)
        authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(authority)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)


def test_tls_and_mutual_tls(tmp_path):
    authority = Authority(tmp_path)
    key, cert = authority.issue("server")
    own_key, own_cert = authority.issue("client")
    (tmp_path / "strange").mkdir()
    stranger = Authority(tmp_path / "strange")
    ca = authority.ca.read_bytes()
    pair = [(key.read_bytes(), cert.read_bytes())]
    one_way = grpc.ssl_server_credentials(pair)
    mutual = grpc.ssl_server_credentials(pair, ca, require_client_auth=True)
    with (
        serve("grpc", FakeModel(), credentials=one_way) as server,
        serve("grpc", FakeModel(), credentials=mutual) as strict,
    ):
        for address, certificates, answers in [
            (server, {"ca": authority.ca}, True),
            (server, {"ca": stranger.ca}, False),
            (f"grpcs://{server}", {}, False),  # the system does not know the authority
            (server, {}, False),
            (strict, {"ca": authority.ca, "key": own_key, "cert": own_cert}, True),
            (strict, {"ca": authority.ca}, False),
        ]:
            with Client(address, max_retries=0, deadline=10, **certificates) as client:
                if answers:
                    assert client.sample(1).shape == (1, 2, 2, 1)
                else:
                    with pytest.raises(ServingError, match="UNAVAILABLE"):
                        client.sample(1)


def test_bad_files_are_found_at_once(tmp_path):
    authority = Authority(tmp_path)
    key, _ = authority.issue("one")
    _, cert = authority.issue("other")
    for address in ("localhost:1", "https://localhost:1"):
        with pytest.raises(ValueError, match="are no PEM certificate and its key"):
            Client(address, key=key, cert=cert)
        with pytest.raises(FileNotFoundError):
            Client(address, ca=tmp_path / "absent.pem")
