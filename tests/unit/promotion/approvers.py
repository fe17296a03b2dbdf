"""An issuer of approvers, people in groups, and ID tokens that are wrong in exactly one way."""

from dataclasses import dataclass, field
from pathlib import Path

from launchworthy.approval.proved.matter import Matter
from launchworthy.approval.proved.proof import ALGORITHMS, Keys, render_proof
from launchworthy.attestation import Approvers
from launchworthy.testing.issuer import ABSENT, SimulatedIssuer
from launchworthy.tokens.key_import import import_keys

NOW = 1_795_000_000
LEADS = "payments-leads"
CLIENT = "approve"


@dataclass
class Company:
    """An issuer that is asked without a network: only its keys and what it signs count."""

    issuer: SimulatedIssuer = field(
        default_factory=lambda: SimulatedIssuer({"https://x.invalid": ()}, clock=lambda: NOW)
    )

    @property
    def keys(self) -> Keys:
        return import_keys(self.issuer.keys.document(), ALGORITHMS).usable

    @property
    def approvers(self) -> Approvers:
        return Approvers(
            issuer=self.issuer.issuer,
            client=CLIENT,
            groups=frozenset({LEADS}),
            claim="groups",
            key_sets=(),
        )

    def id_token(self, matter: Matter, **changes: object) -> str:
        """A good ID token for a matter, with some claims changed."""
        claims = {
            "sub": "u-42",
            "aud": CLIENT,
            "nonce": matter.nonce,
            "groups": [LEADS, "everybody"],
            "email": "lead@acme.example",
            "jti": ABSENT,
            "client_id": ABSENT,
            "scope": ABSENT,
        }
        return self.issuer.mint(claims={**claims, **changes}, header={"typ": "JWT"})

    def approve(self, folder: Path, matter: Matter, **changes: object) -> Path:
        """Keep a proof where it is looked for."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / matter.file_name
        file.write_bytes(render_proof(matter, self.id_token(matter, **changes)))
        return file
