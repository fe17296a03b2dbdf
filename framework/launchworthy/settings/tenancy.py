"""Do settings and manifest agree on whose callers are? Every issuer says it, or nobody needs to."""

from launchworthy.manifest import Manifests
from launchworthy.settings.resolved import Settings
from launchworthy.vocabulary import Problem, ProblemError


def require_tenant_claims(settings: Settings, manifests: Manifests) -> None:
    """Refuse a server that could not tell one tenant from another, and a claim that nobody reads.

    Raises:
        ProblemError: `tenant-claim`, for every issuer that names none, or names one for nothing.
    """
    several = manifests.has_tenants
    problems = [
        _problem(f"issuers.{name}", settings, several=several)
        for name, each in settings.issuers.items()
        if (each.tenant_claim is not None) != several
    ]
    if problems:
        raise ProblemError(*problems)


def _problem(table: str, settings: Settings, *, several: bool) -> Problem:
    where = {field: settings.sources.get(f"{table}.{field}") for field in ("tenant_claim", "issuer")}
    what = "names a claim for the tenant, and [data] tenancy is `single`: nothing would be kept by it"
    fix: tuple[str, ...] = ("take tenant_claim out", 'or write tenancy = "multi" in manifests/server.toml')
    if several:
        what = "does not say which claim is the tenant, and [data] tenancy is `multi`"
        fix = (f"[{table}]", 'tenant_claim = "tenant"')
    return Problem(
        reason="tenant-claim",
        where=where["tenant_claim"] or where["issuer"],
        what=f"[{table}] {what}",
        fix=fix,
        field=f"{table}.tenant_claim",
    )
