"""Does a certificate chain verify to one trust domain's authorities, now? Ours and a peer's alike.

To the authorities of its own trust domain, and to those only: in a merged store a federated authority could
sign our own names (SPIFFE Workload API §4.6).
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.verification import ExtensionPolicy, PolicyBuilder, Store, VerificationError


class UntrustedChain(Exception):
    """The chain does not verify; the message is the library's reason."""


def uris_of(leaf: x509.Certificate) -> tuple[str, ...]:
    """The URI SANs of a certificate; none where it has no such extension, or one that cannot be read."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(names.get_values_for_type(x509.UniformResourceIdentifier))


def verify_chain(chain: Sequence[x509.Certificate], bundle: Sequence[x509.Certificate], now: float) -> None:
    """Return if the leaf, which comes first, verifies to an authority of the bundle.

    Raises:
        UntrustedChain: it does not.
        ValueError: the bundle is empty.
    """
    policy = (
        PolicyBuilder()
        .store(Store(list(bundle)))
        .time(datetime.fromtimestamp(now, UTC))
        .extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.webpki_defaults_ee()
        )
    )
    try:
        policy.build_client_verifier().verify(chain[0], list(chain[1:]))
    except (VerificationError, UnsupportedAlgorithm, ValueError) as error:
        raise UntrustedChain(str(error)) from None
