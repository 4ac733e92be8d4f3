"""Where the mesh has mutual TLS, certificate and overlay address must agree."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from e2e.addresses import Addresses
from e2e.envoy import start_envoy
from e2e.mesh import place_endpoints, start_origins
from e2e.probe import Answer, send
from e2e.processes import Children
from e2e.proxy import Inbound, MutualTls, Proxy
from e2e.shop_run import Shop

HOST = "checkout.payments.svc.cluster.local"
PORT = 8443


@dataclass
class Authority:
    """A throw-away certificate authority for SPIFFE identities."""

    folder: Path

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test mesh")])
        self.file = self.folder / "authority.pem"
        basic = x509.BasicConstraints(ca=True, path_length=0)
        certificate = self._sign(self.name, self.key.public_key(), basic)
        self.file.write_bytes(certificate.public_bytes(Encoding.PEM))

    def issue(self, identity: str) -> MutualTls:
        """Issue a certificate with a URI as its only name."""
        stem = identity.rpartition("//")[2].replace("/", ".")
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity)])
        certificate = self._sign(x509.Name([]), key.public_key(), names)
        files = MutualTls(
            self.folder / f"{stem}.pem", self.folder / f"{stem}.key", self.file
        )
        files.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        files.key.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return files

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        extension: x509.ExtensionType,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(extension, critical=True)
            .sign(self.key, SHA256())
        )


def client_context(files: MutualTls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(files.authority))
    context.check_hostname = False  # SPIFFE names no hosts
    context.load_cert_chain(files.certificate, files.key)
    return context


@pytest.mark.parametrize(
    ("account", "code", "body"),
    [
        ("shop/sa/cart", 200, b'{"name":'),
        ("payments/sa/fraud", 403, b"pepmesh: denied: source_mismatch\n"),
        ("shop/sa/cart-db", 403, b"pepmesh: denied: source_mismatch\n"),
    ],
)
def test_the_certificate_must_name_the_source(
    account: str,
    code: int,
    body: bytes,
    shop: Shop,
    family: Children,
    addresses: Addresses,
    tmp_path: Path,
) -> None:
    ends = {e.key: e for e in place_endpoints(shop.model, addresses)}
    cart, checkout = ends["shop/cart"], ends["payments/checkout"]
    authority = Authority(tmp_path)
    tls = authority.issue("spiffe://cluster.local/ns/payments/sa/checkout")
    start_origins(family, [checkout], tmp_path)
    plugin = shop.product.plugin(checkout)
    inbound = Inbound(checkout.address, PORT, checkout.origin, (plugin,), tls)
    proxy = Proxy(checkout.node, (inbound,))
    start_envoy(family, proxy, tmp_path / "checkout").wait_ready()
    answer: Answer = send(
        cart.address,
        checkout.address,
        PORT,
        headers=shop.product.headers(cart, HOST),
        tls=client_context(authority.issue(f"spiffe://cluster.local/ns/{account}")),
    )
    assert (answer.code, answer.body[: len(body)]) == (code, body)
