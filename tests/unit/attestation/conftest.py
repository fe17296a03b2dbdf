import pytest
from promoters import Authority, trust_policy

from launchworthy.attestation import TrustPolicy, X509SvidSigner


@pytest.fixture(scope="session")
def acme() -> Authority:
    return Authority()


@pytest.fixture(scope="session")
def simulated() -> Authority:
    return Authority(domain="dev.invalid")


@pytest.fixture(scope="session")
def trust(acme: Authority, simulated: Authority) -> TrustPolicy:
    return trust_policy(acme, simulated=simulated)


@pytest.fixture(scope="session")
def release(acme: Authority) -> X509SvidSigner:
    return acme.signer()
