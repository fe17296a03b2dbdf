"""Every issuer says whose a caller is where there are several tenants, and none does where there is one."""

import pytest
from settings_cases import PRODUCTION, changed, in_production
from test_settings_data_class import SERVER, TOOLS

from launchworthy.manifest import Manifests, load_manifests
from launchworthy.settings import Settings, require_tenant_claims
from launchworthy.vocabulary import ProblemError

CLAIM = 'tenant_claim = "tenant"\n'


def manifests(tenancy: str) -> Manifests:
    server = SERVER.format("internal").replace('"single"', f'"{tenancy}"')
    return load_manifests({"manifests/server.toml": server.encode(), "manifests/tools.toml": TOOLS.encode()})


def settings(claim: str) -> Settings:
    return in_production(changed(PRODUCTION, ("algorithms", f"{claim}algorithms")))


@pytest.mark.parametrize(("tenancy", "claim"), [("single", ""), ("multi", CLAIM)])
def test_settings_and_manifest_agree(tenancy: str, claim: str) -> None:
    require_tenant_claims(settings(claim), manifests(tenancy))


@pytest.mark.parametrize(("tenancy", "claim"), [("multi", ""), ("single", CLAIM)])
def test_settings_and_manifest_that_do_not_agree_are_refused(tenancy: str, claim: str) -> None:
    with pytest.raises(ProblemError) as error:
        require_tenant_claims(settings(claim), manifests(tenancy))
    assert {each.reason for each in error.value.problems} == {"tenant-claim"}
