"""What do operators register for this server? From its settings and manifests, in the forms that they paste.

Four of them: an entry for SPIRE's command line, the same for SPIRE's controller in Kubernetes, a projected
token where there is no SPIFFE, and what an authorization server must know of its client and its scopes. What
the project does not say is a placeholder in `<…>`, never a guess.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from launchworthy.manifest import Manifests
from launchworthy.settings import Settings
from launchworthy.vocabulary import sign_in_redirect

_KUBERNETES_ID = re.compile(r"spiffe://[^/]+/ns/(?P<namespace>[^/]+)/sa/(?P<service_account>[^/]+)")
_SUBJECT = re.compile(r"system:serviceaccount:(?P<namespace>[^:]+):(?P<service_account>[^:]+)")
_TEMPLATE = "spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}"
_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
TOKEN_SECONDS = 3600


class Form(StrEnum):
    """What is registered, and where."""

    SPIRE_ENTRY = "spire-entry"
    CLUSTER_SPIFFE_ID = "cluster-spiffe-id"
    PROJECTED_VOLUME = "projected-volume"
    AUTHORIZATION_SERVER = "authorization-server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One thing to paste.

    Attributes:
        form: what it is.
        title: for whom, in a line.
        text: as it is pasted.
    """

    form: Form
    title: str
    text: str


def registrations(settings: Settings, manifests: Manifests) -> tuple[Registration, ...]:
    """All that fits the kind of this server's identity, and what its issuers must know."""
    return tuple(_registrations(settings, manifests))


def _registrations(settings: Settings, manifests: Manifests) -> Iterator[Registration]:
    name = manifests.server.name
    if settings.identity.kind == "spiffe":
        title = "for whoever runs SPIRE, by its command line"
        yield Registration(form=Form.SPIRE_ENTRY, title=title, text=_spire_entry(settings))
        found = _KUBERNETES_ID.fullmatch(settings.identity.expected_id)
        if found is not None:
            title = "the same, for SPIRE's controller in Kubernetes"
            text = _cluster_spiffe_id(name, settings, found["namespace"])
            yield Registration(form=Form.CLUSTER_SPIFFE_ID, title=title, text=text)
    if settings.identity.kind == "file":
        title = "for deploy/deployment.yaml"
        yield Registration(form=Form.PROJECTED_VOLUME, title=title, text=_projected_volume(settings))
    for issuer in settings.issuers.values():
        title = f"for whoever runs {issuer.issuer}"
        text = json.dumps(_authorization_server(issuer.issuer, settings, manifests), indent=2) + "\n"
        yield Registration(form=Form.AUTHORIZATION_SERVER, title=title, text=text)


def _federated(settings: Settings) -> tuple[str, ...]:
    """The trust domains whose bundles this server needs besides its own."""
    own = settings.identity.expected_id.removeprefix("spiffe://").partition("/")[0]
    return tuple(name for name in settings.identity.trust_domains if name != own)


def _spire_entry(settings: Settings) -> str:
    identity = settings.identity.expected_id
    found = _KUBERNETES_ID.fullmatch(identity)
    if found is None:
        selectors = ["-selector unix:uid:<the uid of the server>"]
    else:
        selectors = [f"-selector k8s:ns:{found['namespace']} -selector k8s:sa:{found['service_account']}"]
    lines = [
        "spire-server entry create",
        f"-spiffeID {identity}",
        "-parentID <the node's id>",
        *selectors,
        *(f"-federatesWith spiffe://{name}" for name in _federated(settings)),
    ]
    return " \\\n  ".join(lines) + "\n"


def _cluster_spiffe_id(name: str, settings: Settings, namespace: str) -> str:
    lines = [
        "apiVersion: spire.spiffe.io/v1alpha1",
        "kind: ClusterSPIFFEID",
        "metadata:",
        f"  name: {_quoted(name)}",
        "spec:",
        f"  spiffeIDTemplate: {_quoted(_TEMPLATE)}",
        "  namespaceSelector:",
        "    matchLabels:",
        f"      kubernetes.io/metadata.name: {_quoted(namespace)}",
        "  podSelector:",
        "    matchLabels:",
        f"      app.kubernetes.io/name: {_quoted(name)}",
    ]
    federated = _federated(settings)
    if federated:
        lines += ["  federatesWith:", *(f"    - {_quoted(each)}" for each in federated)]
    return "\n".join(lines) + "\n"


def _projected_volume(settings: Settings) -> str:
    place = PurePosixPath(settings.identity.endpoint)
    audience = next(iter(settings.issuers.values())).issuer
    found = _SUBJECT.fullmatch(settings.identity.expected_id)
    account = found["service_account"] if found is not None else "<the service account of this server>"
    lines = [
        f"serviceAccountName: {_quoted(account)}",
        "automountServiceAccountToken: false",
        "volumes:",
        "  - name: identity",
        "    projected:",
        "      sources:",
        "        - serviceAccountToken:",
        f"            audience: {_quoted(audience)}  # whom it is shown to, and nobody else",
        f"            expirationSeconds: {TOKEN_SECONDS}",
        f"            path: {_quoted(place.name)}",
        "containers:",
        "  - volumeMounts:",
        "      - name: identity",
        f"        mountPath: {_quoted(str(place.parent))}  # no subPath: it would never be renewed",
        "        readOnly: true",
    ]
    return "\n".join(lines) + "\n"


def _authorization_server(issuer: str, settings: Settings, manifests: Manifests) -> Mapping[str, object]:
    """The resource with its scopes, and this server as a client, without any secret."""
    scopes: dict[str, list[str]] = {}
    for target in manifests.targets.values():
        for scope in target.scopes:
            scopes.setdefault(scope, []).append(target.name)
    granting = manifests.server.scopes
    return {
        "issuer": issuer,
        "resource": settings.server.resource,
        "scopes": {scope: sorted(used) for scope, used in sorted(scopes.items())},
        "entry_scopes": list(granting.entry),
        "implied_scopes": {scope: list(implied) for scope, implied in granting.implies.items()},
        "client": _client(settings, manifests),
        **_sign_in(issuer, settings),
    }


def _sign_in(issuer: str, settings: Settings) -> Mapping[str, object]:
    """What the client is besides, where people sign in to approve calls: often the same one."""
    approval = settings.approval
    if approval.issuer is None or settings.issuers[approval.issuer].issuer != issuer:
        return {}
    return {
        "sign_in_client": {
            "client_id": approval.client or settings.identity.expected_id,
            "grant_types": ["authorization_code"],
            "redirect_uris": [sign_in_redirect(settings.server.resource)],
            "scope": " ".join(("openid", *approval.scopes)),
            "subject_type": "public",
            "require_auth_time": True,
            "code_challenge_methods": ["S256"],
        }
    }


def _client(settings: Settings, manifests: Manifests) -> Mapping[str, object]:
    identity = settings.identity
    lends = any(len(target.credentials) > 0 for target in manifests.targets.values())
    client: dict[str, object] = {
        "client_name": manifests.server.title,
        "client_id": identity.expected_id,
        "token_endpoint_auth_method": "spiffe_jwt" if identity.kind == "spiffe" else "private_key_jwt",
        "grant_types": ["client_credentials", _EXCHANGE] if lends else ["client_credentials"],
    }
    if identity.kind == "spiffe":
        domain = identity.expected_id.removeprefix("spiffe://").partition("/")[0]
        client["spiffe_id"] = identity.expected_id
        client["spiffe_bundle_endpoint"] = f"<the bundle endpoint of {domain}>"
    return client


def _quoted(text: str) -> str:
    """A YAML scalar; JSON's strings are YAML's."""
    return json.dumps(text)
