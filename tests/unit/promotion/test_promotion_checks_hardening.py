"""SUP-04 by reading: every way that a container file or a manifest leaves to be more than a server needs."""

import pytest
from promotion_project import look
from shown_evidence import CONTAINER, project_showing, shown

from launchworthy.promotion.finding import Status

DOCKERFILE, DEPLOYMENT, PATCH = "Dockerfile", "deploy/deployment.yaml", "deploy/patch.yaml"
USER = "USER 65532:65532\n"
START = 'ENTRYPOINT ["/app/bin/python", "-I", "-B", "-m", "orders"]'
SCRIPT = "#!/bin/sh\nset -e\nchown app /data\nexec gosu app python -m orders\n"
STAGES = "FROM python:3.13-slim AS base\nUSER app\nFROM base\nCOPY . /app\n" + START + "\n"
SIDECAR = "        - name: proxy\n          image: proxy\n      volumes:\n"
PATCHED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders}
spec:
  template:
    spec:
      containers:
        - name: orders
          %s
"""


def deployed(before, after):
    """A change of the deployment."""
    return [(DEPLOYMENT, before, after)]


BROKEN = {
    "nobody says as whom": ([(DOCKERFILE, USER, "")], "nobody says as whom"),
    "root": ([(DOCKERFILE, USER, "USER root\n")], "`USER root`"),
    "root by its number": ([(DOCKERFILE, USER, "USER 0:65532\n")], "`USER 0:65532`"),
    "root in the end": ([(DOCKERFILE, USER, USER + "USER root\n")], "`USER root`"),
    "whoever builds says": ([(DOCKERFILE, USER, "ARG WHO=0\nUSER $WHO\n")], "`USER $WHO`"),
    "a user of the build's stage only": (
        [(DOCKERFILE, "FROM python:3.13-slim AS build\n", "FROM python:3.13-slim AS build\nUSER app\n"),
         (DOCKERFILE, USER, "")],
        "nobody says as whom",
    ),
    "it starts by sudo": ([(DOCKERFILE, START, 'ENTRYPOINT ["sudo", "-E", "python"]')], "through `sudo`"),
    "it starts by gosu": (
        [(DOCKERFILE, START, 'ENTRYPOINT ["/usr/local/bin/gosu", "0", "python"]')], "through `gosu`",
    ),
    "it starts by a shell that does": (
        [(DOCKERFILE, START, 'ENTRYPOINT ["sh", "-c", "exec su-exec root python"]')], "through `su-exec`",
    ),
    "it starts without a list": ([(DOCKERFILE, START, "CMD exec sudo python -m orders")], "through `sudo`"),
    "its script does": (
        [(DOCKERFILE, START, 'COPY start.sh /\nENTRYPOINT ["/start.sh"]'), ("start.sh", "", SCRIPT)],
        "it starts start.sh, which uses `gosu`",
    ),
    "sudo is there": (
        [(DOCKERFILE, USER, "RUN apt-get update && apt-get install -y curl sudo\n" + USER)],
        "it holds `sudo`",
    ),
    "a program of somebody else": ([(DOCKERFILE, USER, "RUN chmod u+s /x\n" + USER)], "as somebody else"),
    "the same by number": ([(DOCKERFILE, USER, "RUN chmod 4755 /x\n" + USER)], "as somebody else"),
    "a privileged container": (
        deployed("            capabilities:\n", "            privileged: true\n            capabilities:\n"),
        "it is privileged",
    ),
    "it may gain privileges": (
        deployed("allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"),
        "`allowPrivilegeEscalation: true`",
    ),
    "nothing is said of privileges": (
        deployed("            allowPrivilegeEscalation: false\n", ""), "it may gain privileges",
    ),
    "capabilities": (deployed("drop: [ALL]", "drop: [NET_RAW]"), "it keeps capabilities"),
    "a capability again": (
        deployed("drop: [ALL]", "drop: [ALL]\n              add: [SYS_ADMIN]"), "SYS_ADMIN",
    ),
    "its files can be written": (
        deployed("            readOnlyRootFilesystem: true\n", ""), "its file system can be written",
    ),
    "perhaps root": (deployed("        runAsNonRoot: true\n", ""), "nothing keeps it from running as root"),
    "root, and not root": (deployed("runAsUser: 65532", "runAsUser: 0"), "it runs as root"),
    "any system call": (deployed("type: RuntimeDefault", "type: Unconfined"), "any system call"),
    "no limit": (deployed("            limits:\n              memory: 512Mi\n", ""), "memory has no limit"),
    "the machine's network": (
        deployed("      serviceAccountName", "      hostNetwork: true\n      serviceAccountName"),
        "hostNetwork",
    ),
    "the machine's files": (
        deployed("      volumes:\n", "      volumes:\n        - name: host\n          hostPath: {path: /}\n"),
        "a folder of the machine: host",
    ),
    "a second container": (deployed("      volumes:\n", SIDECAR), "`proxy`: it may gain privileges"),
    "a patch": (
        [(PATCH, "", PATCHED % "securityContext: {readOnlyRootFilesystem: false}")],
        "it says `readOnlyRootFilesystem: false`",
    ),
    "what is no manifest": ([("deploy/x.yaml", "", "apiVersion: v1\nkind: Pod\na: {{ b }\n")], "no YAML by"),
}  # fmt: skip


def looked(reference, *edits):
    """What SUP-04 says where the container itself was shown."""
    return look("SUP-04", project_showing(reference, shown("SUP-04", CONTAINER), edits=edits))


@pytest.mark.parametrize(("edits", "says"), BROKEN.values(), ids=list(BROKEN))
def test_one_opening_is_held(reference, edits, says):
    finding = looked(reference, *edits)
    assert finding.status is Status.FAIL
    assert any(says in failure.what for failure in finding.failures), finding.failures
    assert all(failure.fix and failure.where for failure in finding.failures)


@pytest.mark.parametrize(
    "edits",
    [
        [],
        [(DOCKERFILE, USER, "USER nobody\n")],
        [(DOCKERFILE, "", STAGES)],
        [(DOCKERFILE, USER, "RUN apt-get install -y libsudoku0 && chmod 755 /app\n" + USER)],
        [(DOCKERFILE, START, 'COPY start.sh /\nENTRYPOINT ["/start.sh"]'),
         ("start.sh", "", "#!/bin/sh\n# no sudo here\necho 'su is not used'\nexec python -m orders\n")],
        [("docs/old.sh", "", SCRIPT)],
        [(PATCH, "", PATCHED % "env: [{name: MODE, value: quiet}]")],
        deployed("drop: [ALL]", "drop: [ALL]\n              add: [NET_BIND_SERVICE]"),
        [("docs/openapi.yaml", "", "kind: of a page\ninfo: {title: x}\n")],
    ],
)  # fmt: skip
def test_what_is_confined_holds(reference, edits):
    finding = looked(reference, *edits)
    assert finding.status is Status.PASS, finding.failures
