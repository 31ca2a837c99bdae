"""TLS and mutual TLS on the gRPC port."""

import datetime

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from vae_tf_serving.server import Server
from vae_tf_serving.startup.flags import AUTO_PORT, Options
from vae_tf_serving.startup.start_error import StartError


def certificate(name, issuer=None):
    """A certificate for `name`, signed by `issuer` (itself without): (certificate, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    signer, signing_key = (issuer[0].subject, issuer[1]) if issuer else (subject, key)
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), True)
    )
    return built.sign(signing_key, hashes.SHA256()), key


def pem(found):
    if isinstance(found, x509.Certificate):
        return found.public_bytes(serialization.Encoding.PEM)
    return found.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def config(**fields):
    lines = []
    for name, value in fields.items():
        text = value.decode().replace("\n", "\\n") if isinstance(value, bytes) else value
        lines.append(f"{name}: {text}" if text == "true" else f'{name}: "{text}"')
    return "\n".join(lines)


@pytest.fixture(scope="module")
def authority():
    return certificate("authority")


def run(tmp_path, model_folder, text):
    path = tmp_path / "ssl.config"
    path.write_text(text)
    options = Options(
        port=AUTO_PORT,
        model_name="vae",
        model_base_path=str(model_folder / "vae"),
        ssl_config_file=str(path),
    )
    return Server(options)


def status(address, credentials):
    options = [("grpc.ssl_target_name_override", "localhost")]
    with grpc.secure_channel(address, credentials, options) as channel:
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = "vae"
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        return stub.GetModelStatus(request, timeout=5).model_version_status[0].version


def test_tls_and_mutual_tls(embedded, tmp_path, model_folder, authority):
    cert, key = map(pem, certificate("localhost", authority))
    client_cert, client_key = map(pem, certificate("client", authority))
    stranger_cert, stranger_key = map(pem, certificate("stranger"))
    root = pem(authority[0])
    with run(tmp_path, model_folder, config(server_key=key, server_cert=cert)) as server:
        assert status(server.grpc_address, grpc.ssl_channel_credentials(root)) == 1
    mutual = config(server_key=key, server_cert=cert, custom_ca=root, client_verify="true")
    with run(tmp_path, model_folder, mutual) as server:
        address = server.grpc_address
        assert status(address, grpc.ssl_channel_credentials(root, client_key, client_cert)) == 1
        for identity in ((None, None), (stranger_key, stranger_cert)):
            with pytest.raises(grpc.RpcError) as caught:
                status(address, grpc.ssl_channel_credentials(root, *identity))
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


def test_unusable_key(embedded, tmp_path, model_folder, authority):
    cert, key = map(pem, certificate("localhost", authority))
    other_key = pem(certificate("localhost", authority)[1])
    for text, message in {
        config(server_key="/etc/key.pem", server_cert=cert): "server_key in .* is no PEM text; put",
        config(server_key=key): "server_cert in .* is no PEM text",
        config(server_key=other_key, server_cert=cert): "does not start with the key",
        "server_key {": "line 1",
    }.items():
        with pytest.raises(StartError, match=message):
            run(tmp_path, model_folder, text).start()
