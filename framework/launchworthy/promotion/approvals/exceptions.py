"""Which exceptions of an environment's issuers need an approval, and of what exactly?"""

from collections.abc import Iterator
from dataclasses import dataclass

from launchworthy.approval.proved.matter import Kind, Matter, matter_of_entry
from launchworthy.settings import NamedException, Settings, listed_exceptions


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerException:
    """One exception.

    Attributes:
        issuer: its name in the settings.
        terms: what it says.
        field: `issuers.callers.exceptions.typ`.
        matter: what its approval must be about: issuer and server by their URLs, so that others need others.
    """

    issuer: str
    terms: NamedException
    field: str
    matter: Matter


def issuer_exceptions(settings: Settings) -> Iterator[IssuerException]:
    """Every exception of the settings, in their order."""
    for name, issuer in settings.issuers.items():
        for terms in listed_exceptions(issuer.exceptions):
            entry = {"issuer": issuer.issuer, **terms._asdict(), "until": terms.until.isoformat()}
            resource = settings.server.resource
            says = f"{resource}, {issuer.issuer}: {terms.line()}: {terms.reason}"
            yield IssuerException(
                issuer=name,
                terms=terms,
                field=f"issuers.{name}.exceptions.{terms.rule}",
                matter=matter_of_entry(Kind.EXCEPTION, entry, says, of=resource),
            )
