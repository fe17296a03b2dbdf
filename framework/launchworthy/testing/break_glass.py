"""Who approves grants in the simulated world? People of an issuer whose keys lie beside a trust policy.

Nobody signs in: the issuer writes the ID tokens at once that two people's sign-ins would have ended with.
The gate's own proofs are imported where one is written: most worlds have no grants, and start sooner.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from launchworthy.testing.authority import SimulatedAuthority
from launchworthy.testing.issuer import ABSENT, SimulatedIssuer
from launchworthy.vocabulary import Environment, Principal

if TYPE_CHECKING:
    from launchworthy.state.control import Entry

CLIENT: Final = "approve"
GROUP: Final = "on-call-leads"
PEOPLE: Final = ("ada@dev.invalid", "grace@dev.invalid")


class BreakGlass:
    """Approves grants for servers of one simulated world.

    Attributes:
        trust: the trust policy that names who may.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Write the trust policy, the root and the keys that it names; `clock` dates the sign-ins."""
        authority = SimulatedAuthority(clock=clock)
        self._issuer = SimulatedIssuer({"https://approvals.dev.invalid": ()}, clock=clock)
        folder.mkdir(mode=0o700)
        (folder / "root.pem").write_bytes(authority.bundle_pem())
        (folder / "approvers.json").write_text(json.dumps(self._issuer.keys.document()))
        self.trust = folder / "trust.toml"
        self.trust.write_text(
            f'[{Environment.REHEARSAL}]\npromoters = ["{authority.spiffe_id("promoter")}"]\n'
            'stamp = "none"\ncatalogue = "0.1"\n'
            f'break_glass_approvers = {{ issuer = "{self._issuer.issuer}", client = "{CLIENT}", '
            f'groups = ["{GROUP}"], keys = ["approvers.json"] }}\n'
            '[roots]\n"dev.invalid" = ["root.pem"]\n'
        )

    def approved(self, entry: "Entry", *people: str, **claims: object) -> "Entry":
        """The same grant with the proofs of these people; of two of them if none is named.

        Args:
            entry: a grant.
            people: their subjects.
            claims: what their ID tokens say otherwise.

        Raises:
            ValueError: it is no grant.
        """
        from launchworthy.approval.proved.grant import grant_matter  # noqa: PLC0415
        from launchworthy.approval.proved.proof import render_proof  # noqa: PLC0415

        matter = grant_matter(entry)
        if entry.grant is None:
            raise ValueError("only a grant is approved")
        tokens = (self.id_token(matter.nonce, who, **claims) for who in people or PEOPLE)
        proofs = tuple(render_proof(matter, token).decode() for token in tokens)
        return replace(entry, grant=replace(entry.grant, approvals=proofs))

    def id_token(self, nonce: str, who: str, /, **claims: object) -> str:
        """What a person's sign-in ends with; `claims` are what it says otherwise."""
        said = {"sub": who, "email": who, "aud": CLIENT, "nonce": nonce, "groups": [GROUP], **claims}
        absent = dict.fromkeys(("jti", "client_id", "scope"), ABSENT)
        return self._issuer.mint(claims={**absent, **said}, header={"typ": "JWT"})


def simulated_grant(
    principal: Principal,
    *,
    server: str,
    targets: tuple[str, ...],
    lifts: tuple[str, ...],
    since: int,
    until: int,
) -> "Entry":
    """A grant that nobody has approved yet."""
    from launchworthy.state.control import Action, Entry, GrantTerms  # noqa: PLC0415

    return Entry(
        id=f"grant-{since}",
        action=Action.GRANT,
        targets=targets,
        name=None,
        who="@rehearsal/on-call",
        why="a rehearsal of an emergency",
        since=since,
        until=until,
        source="file",
        grant=GrantTerms(
            server=server,
            issuer=principal.issuer,
            subject=principal.subject,
            client=principal.client,
            lifts=lifts,
            incident="INC-0",
            approvals=(),
        ),
    )
