"""A workflow that signs by way of a simulated Sigstore, the policy that names it, and what can be forged."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from promoters import DAY, DIGESTS, NOW, predicate

from launchworthy.attestation import (
    Envelope,
    Subject,
    TrustPolicy,
    UnverifiedRecord,
    new_statement,
    parse_trust_policy,
    render_envelope,
    render_statement,
)
from launchworthy.testing.fulcio import Run
from launchworthy.testing.sigstore import SimulatedSigstore
from launchworthy.vocabulary import Environment

GITHUB = "https://token.actions.githubusercontent.com"
IDENTITY = "https://github.com/acme/platform/.github/workflows/attest.yml@refs/tags/v1"
REPOSITORY = "https://github.com/acme/orders"
RUN = Run(identity=IDENTITY, issuer=GITHUB, repository=REPOSITORY, commit=DIGESTS[Subject.COMMIT])
PROMOTER = f'{{ identity = "{IDENTITY}", issuer = "{GITHUB}", repository = "{REPOSITORY}" }}'
SIGSTORE = '[sigstore]\ntrusted_root = "trusted_root.json"\nsigning_config = "signing_config.json"\n'
TABLE = f'promoters = [{PROMOTER}]\napprovers = "released-job"\ncatalogue = "0.1"\n'
POLICY = f"[production]\n{TABLE}{SIGSTORE}"
CERTIFIED = NOW - 5


def services(sigstore: SimulatedSigstore) -> dict[str, bytes]:
    """The two files; a simulated instance listens on loopback, which is no place of the real world."""
    config = re.sub(rb"http://127\.0\.0\.1:\d+", b"https://sigstore.acme.example", sigstore.signing_config)
    return {"trusted_root.json": sigstore.trusted_root(), "signing_config.json": config}


def policy_of(sigstore: SimulatedSigstore, toml: str = POLICY, **files: bytes) -> TrustPolicy:
    named = {f"{name}.json": content for name, content in files.items()}
    return parse_trust_policy(toml.encode(), {**services(sigstore), **named}, where="trust.toml")


def statement(*, digests: dict[Subject, str] = DIGESTS, **changes: object) -> bytes:
    return render_statement(new_statement(digests, predicate(**changes)))


def as_record(envelope: Envelope) -> UnverifiedRecord:
    return UnverifiedRecord(where="record.dsse.json", envelope=render_envelope(envelope))


def signed(sigstore: SimulatedSigstore, *, run: Run = RUN, at: int = CERTIFIED, **changes: Any) -> Envelope:
    """What counts, but for what is changed."""
    before, sigstore.run = sigstore.run, run
    try:
        return sigstore.seal(changes.pop("payload", statement()), at=at, **changes)
    finally:
        sigstore.run = before


@dataclass(frozen=True, kw_only=True)
class Forged:
    """One forgery: what it is, why it fails, and whether Sigstore's own verifier is what sees it."""

    id: str
    make: Callable[[SimulatedSigstore], Envelope]
    reason: str = "record-not-trusted"
    says: str
    by_library: bool = False
    policy: Callable[[SimulatedSigstore], TrustPolicy] = policy_of


def _other_run(**changes: str) -> Callable[[SimulatedSigstore], Envelope]:
    return lambda sigstore: signed(sigstore, run=replace(RUN, **changes))


def _other_instance(sigstore: SimulatedSigstore) -> Envelope:
    return signed(SimulatedSigstore(clock=lambda: NOW, run=sigstore.run))


def _with(envelope: Envelope, change: Callable[[dict[str, Any]], None]) -> Envelope:
    material = json.loads(envelope.material or b"")
    change(material)
    return replace(envelope, material=json.dumps(material).encode())


def _material(change: Callable[[dict[str, Any]], None]) -> Callable[[SimulatedSigstore], Envelope]:
    """The one log entry, changed."""
    return lambda sigstore: _with(signed(sigstore), lambda material: change(material["tlogEntries"][0]))


def _of_another(sigstore: SimulatedSigstore) -> Envelope:
    """The log's entry of another record, by the same workflow."""
    return replace(signed(sigstore), material=signed(sigstore).material)


def _flip(entry: dict[str, Any], *path: str) -> None:
    *way, last = path
    for name in way:
        entry = entry[name]
    content = bytearray(base64.b64decode(entry[last]))
    content[-1] ^= 1
    entry[last] = base64.b64encode(bytes(content)).decode()


def _altered(sigstore: SimulatedSigstore) -> Envelope:
    made = signed(sigstore)
    return replace(made, payload=made.payload.replace(b'"passed":41', b'"passed":70'))


def _own_key(sigstore: SimulatedSigstore) -> Envelope:
    """The certificate of a good record, and a signature by a key of one's own."""
    good, mine = signed(sigstore), signed(sigstore)
    return replace(mine, certificates=good.certificates, key_id=good.key_id)


def _self_issued(sigstore: SimulatedSigstore) -> Envelope:
    """A certificate of one's own authority, logged where everybody's signatures are."""
    key = ec.generate_private_key(ec.SECP256R1())
    own = SimulatedSigstore(clock=lambda: NOW, run=sigstore.run)
    return sigstore.seal(statement(), at=CERTIFIED, key=key, certificate=own.certified(key, at=CERTIFIED))


def _certified(kind: Callable[[], Any], **changes: Any) -> Callable[[SimulatedSigstore], Envelope]:
    """A record by a certificate that is changed."""

    def make(sigstore: SimulatedSigstore) -> Envelope:
        key = kind()
        certificate: x509.Certificate = sigstore.certified(key, at=CERTIFIED, **changes)
        return sigstore.seal(statement(), at=CERTIFIED, key=key, certificate=certificate)

    return make


def _p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


class _Rsa:
    """An RSA key, in the place where an EC key signs."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def public_key(self) -> rsa.RSAPublicKey:
        return self._key.public_key()

    def sign(self, message: bytes, _algorithm: object) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        return self._key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def _retired(sigstore: SimulatedSigstore) -> TrustPolicy:
    return policy_of(sigstore, trusted_root=sigstore.trusted_root(until=CERTIFIED - DAY))


FORGERIES = (
    Forged(id="another-workflow", says="no promoter",
           make=_other_run(identity=IDENTITY.replace("attest.yml", "ci.yml"))),
    Forged(id="another-version", says="no promoter", make=_other_run(identity=IDENTITY + ".1")),
    Forged(id="another-issuer", says="another repository or issuer",
           make=_other_run(issuer="https://gitlab.example")),
    Forged(id="another-repository", says="another repository or issuer",
           make=_other_run(repository="https://github.com/mallory/orders")),
    Forged(id="another-commit", says="a run for another commit", make=_other_run(commit="b" * 40)),
    Forged(id="two-names", says="exactly one workflow",
           make=_certified(_p256, more_names=("https://github.com/mallory/x/.github/w.yml@v1",))),
    Forged(id="long-lived", says="one-off", make=_certified(_p256, life=3601)),
    Forged(id="p384", says="not EC P-256", make=_certified(lambda: ec.generate_private_key(ec.SECP384R1()))),
    Forged(id="rsa", says="not EC P-256", make=_certified(_Rsa)),
    Forged(id="altered", reason="record-altered", says="changed after", make=_altered),
    Forged(id="own-key", reason="record-altered", says="changed after", make=_own_key),
    Forged(id="signed-later-than-said", says="not valid", make=lambda s: signed(s, at=NOW + 61)),
    Forged(id="signed-earlier-than-said", says="not valid", make=lambda s: signed(s, at=NOW - 601)),
    Forged(id="foreign-instance", says="verifier refuses", make=_other_instance, by_library=True),
    Forged(id="self-issued", says="verifier refuses", make=_self_issued, by_library=True),
    Forged(id="unlogged-certificate", says="verifier refuses", by_library=True,
           make=_certified(_p256, logged=False)),
    Forged(id="entry-of-another", says="verifier refuses", make=_of_another, by_library=True),
    Forged(id="no-entry", says="malformed", by_library=True,
           make=lambda s: _with(signed(s), lambda material: material.update(tlogEntries=[]))),
    Forged(id="logged-after-the-certificate", says="verifier refuses", by_library=True,
           make=lambda s: signed(s, logged_at=CERTIFIED + 601)),
    Forged(id="logged-before-the-certificate", says="verifier refuses", by_library=True,
           make=lambda s: signed(s, logged_at=CERTIFIED - 1)),
    Forged(id="another-time", says="verifier refuses", by_library=True,
           make=_material(lambda entry: entry.update(integratedTime=str(NOW + 1)))),
    Forged(id="promise-of-nobody", says="verifier refuses", by_library=True,
           make=_material(lambda entry: _flip(entry, "inclusionPromise", "signedEntryTimestamp"))),
    Forged(id="no-promise", says="verifier refuses", by_library=True,
           make=_material(lambda entry: entry.pop("inclusionPromise") and None)),
    Forged(id="no-proof", says="verifier refuses", by_library=True,
           make=_material(lambda entry: entry.pop("inclusionProof") and None)),
    Forged(id="another-tree", says="verifier refuses", by_library=True,
           make=_material(lambda entry: _flip(entry, "inclusionProof", "rootHash"))),
    Forged(id="another-body", says="verifier refuses", by_library=True,
           make=_material(lambda entry: _flip(entry, "canonicalizedBody"))),
    Forged(id="brought-certificate", says="malformed", by_library=True,
           make=lambda s: _with(signed(s), lambda material: material.update(certificate={}))),
    Forged(id="retired-services", says="verifier refuses", by_library=True, make=signed, policy=_retired),
)  # fmt: skip


def other_world(sigstore: SimulatedSigstore) -> TrustPolicy:
    """A policy for the simulated world, whose names and services are its own."""
    return parse_trust_policy(
        simulated_policy().encode(),
        {"trusted_root.json": sigstore.trusted_root(), "signing_config.json": sigstore.signing_config},
        where="trust.toml",
    )


def simulated_policy() -> str:
    names = PROMOTER.replace("github.com", "dev.invalid").replace(
        "token.actions.githubusercontent.com", "dev.invalid"
    )
    return f'[{Environment.REHEARSAL}]\npromoters = [{names}]\nstamp = "none"\ncatalogue = "0.1"\n{SIGSTORE}'


SIMULATED = replace(
    RUN,
    identity=IDENTITY.replace("github.com", "dev.invalid"),
    issuer="https://dev.invalid",
    repository=REPOSITORY.replace("github.com", "dev.invalid"),
)
