"""SEC-07 by reading: where references lead, and how what they lead to is mounted."""

import pytest
from promotion_project import look

from launchworthy.promotion.finding import Status

PRODUCTION, STAGING = "config/production.toml", "config/staging.toml"
DEPLOYMENT, TOOLS = "deploy/deployment.yaml", "manifests/tools.toml"
MOUNTED = """\
        - name: keys
          secret:
            secretName: orders-keys
            defaultMode: 0440
"""
PROJECTED = """\
              - secret:
                  name: orders-keys
"""
VARIABLE = """\
            - name: PASSWORD
              valueFrom:
                secretKeyRef: {name: db, key: p}
"""
OPENBAO = """\
[credentials.reports]
broker  = "openbao"
address = "https://bao.acme.example"
url     = "https://reports.acme.example"
role    = "orders"
path    = "reports/creds/read"

"""
RATE = 'rate      = "60/minute"'
BORROWS = (TOOLS, RATE, 'credentials.reports = { scopes = [], ttl = "2m" }\n' + RATE)


def volume(text):
    """One more volume of the pod."""
    return (DEPLOYMENT, "      volumes:\n", "      volumes:\n" + text)


def variables(text):
    """Something before the container's variables."""
    return (DEPLOYMENT, "          env:\n", text)


BROKEN = {
    "everybody in the pod may read it": (
        [volume(MOUNTED.replace("0440", "0444"))],
        "the secret `orders-keys` of Deployment orders is mounted for everybody to read",
    ),
    "its group may write it": ([volume(MOUNTED.replace("0440", "0460"))], "is mounted for everybody"),
    "the mode that Kubernetes gives": (
        [volume(MOUNTED.replace("defaultMode: 0440", "optional: true"))],
        "is mounted for everybody to read",
    ),
    "one item with a mode of its own": (
        [volume(MOUNTED + "            items: [{key: a, path: a, mode: 0444}]\n")],
        "is mounted for everybody to read",
    ),
    "among other things": (
        [(DEPLOYMENT, "            sources:\n", "            sources:\n" + PROJECTED)],
        "the secret `orders-keys` of Deployment orders",
    ),
    "in a variable": ([variables("          env:\n" + VARIABLE)], "in a variable (`PASSWORD`)"),
    "all of it as variables": (
        [variables("          envFrom:\n            - secretRef: {name: db}\n          env:\n")],
        "in a variable (`envFrom`)",
    ),
    "in the image": (
        [("Dockerfile", "WORKDIR /app\n", "COPY db /run/secrets/db\nWORKDIR /app\n")],
        "part of the image",
    ),
    "one store for two environments": (
        [(PRODUCTION, "[audit]", OPENBAO + "[audit]"), (STAGING, "[audit]", OPENBAO + "[audit]"), BORROWS],
        "`credentials.reports` of staging is lent from where `credentials.reports` of production is",
    ),
    "the team's own, elsewhere": (
        [(PRODUCTION, "[app]", '[app]\nkey = "file:/etc/orders/key"')],
        "`app.key` of production leads to `file:/etc/orders/key`",
    ),
}


@pytest.mark.parametrize(("edits", "says"), BROKEN.values(), ids=list(BROKEN))
def test_a_secret_that_others_can_have_is_held(reference, edits, says):
    finding = look("SEC-07", reference.project(*edits))
    assert finding.status is Status.FAIL
    assert any(says in failure.what for failure in finding.failures), finding.failures
    assert all(failure.fix and failure.where for failure in finding.failures)


@pytest.mark.parametrize(
    "edits",
    [
        [],
        [volume(MOUNTED)],
        [volume(MOUNTED.replace("0440", "256"))],
        [volume(MOUNTED + "            items: [{key: a, path: a, mode: 0400}]\n")],
        [volume("        - name: scratch\n          emptyDir: {}\n")],
        [
            (PRODUCTION, "[audit]", OPENBAO + "[audit]"),
            (STAGING, "[audit]", OPENBAO.replace("reports/", "staging/") + "[audit]"),
            BORROWS,
        ],
        [(PRODUCTION, "[app]", '[app]\nkey = "file:/run/secrets/orders-key"')],
        [variables("          env:\n            - name: MODE\n              value: quiet\n")],
    ],
)
def test_what_only_it_can_have_holds(reference, edits):
    finding = look("SEC-07", reference.project(*edits))
    assert finding.status is Status.PASS, finding.failures
