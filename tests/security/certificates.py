"""A certificate authority of a test's own, and the certificate of a server on this machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from workers.local.ports import LOOPBACK


class Issued(NamedTuple):
    """Files in PEM: who signed, the server's certificate, its key."""

    authority: Path
    certificate: Path
    key: Path


_SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


def issue(folder: Path, name: str, host: str = LOOPBACK) -> Issued:
    """Make an authority and a certificate of it for the server at `host`; all files are the owner's alone.

    Both have what RFC 5280 asks for: Python has looked at that since 3.13.
    """
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    signer = _name(f"authority of {name}")
    files = Issued(*(folder / f"{name}.{what}.pem" for what in ("authority", "certificate", "key")))
    files.authority.write_bytes(_signed(_authority(signer, authority_key), authority_key))
    files.certificate.write_bytes(_signed(_server(host, signer, key, authority_key), authority_key))
    files.key.touch(mode=0o600)
    files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


def _authority(name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_SIGNS, critical=True)
        .add_extension(own, critical=False)
    )


def _server(
    host: str, signer: x509.Name, key: ec.EllipticCurvePrivateKey, signers: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))])
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signers.public_key())
    return (
        _builder(_name(host), signer, key)
        .add_extension(names, critical=False)
        .add_extension(by, critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
