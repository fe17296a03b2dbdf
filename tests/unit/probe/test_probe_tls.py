"""Over https only a server whose certificate is believed is asked anything; `--ca` says whose."""

import ipaddress
import json
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from strange_servers import GOOD, serving, strict
from typer.testing import CliRunner

from launchworthy.cli.main import app


@pytest.fixture
def certificate(tmp_path) -> Path:
    """One that signs itself, for 127.0.0.1, with its key behind it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "probe")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


def probed(certificate: Path, *arguments: str):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with serving(strict, tls) as (url, sent):
        command = [
            "probe",
            url,
            "--token-command",
            f"/bin/echo {GOOD}",
            "--rate",
            "10000",
            "--limit",
            "40",
            *arguments,
        ]
        return CliRunner().invoke(app, command), sent


def test_a_server_whose_authority_is_named_is_asked(certificate):
    done, sent = probed(certificate, "--ca", str(certificate), "--format", "json")
    assert len(json.loads(done.stdout)["findings"]) > 10
    assert any(each.values("authorization") == [f"Bearer {GOOD}"] for each in sent)


def test_a_server_that_nobody_vouches_for_is_sent_nothing(certificate):
    done, sent = probed(certificate)
    assert done.exit_code == 2
    problem = json.loads(done.stderr)
    assert (problem["reason"], "its certificate is not to be trusted" in problem["what"]) == (
        "probe-unreachable",
        True,
    )
    assert sent == []
