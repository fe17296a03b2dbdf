"""What does somebody see who follows the README? A page, made of the kept record of one real run.

The run is `python3 noxfile.py -s first-hour` (`first_hour_run.py`); the prose between its commands is here.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RECORD = Path(__file__).with_name("first_hour.json")
ENTERED = "source .venv/bin/activate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """One command.

    Attributes:
        where: the folder that it is typed in.
        command: as it is typed.
        code: how it ends.
        beside: whether it keeps running, in a terminal of its own, until the next `Typed` that is `last`.
        last: whether what runs beside is ended by Ctrl-C after it.
        left_out: lines of what it prints that the page leaves out, as a pattern; `…` stands for them.
        first: how many of the others it shows; of what follows too, `…` stands for it.
    """

    where: str
    command: str
    code: int = 0
    beside: bool = False
    last: bool = False
    left_out: str = r"(?!)"
    first: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What somebody writes with an editor: in which file, which text becomes which."""

    path: str
    changes: tuple[tuple[str, str], ...]


CLONE, PROJECT = "launchworthy", "my-server"
NEW = "python3 noxfile.py -s new -- ../my-server --defaults"
COMMIT = 'git init -b main && git add -A && git commit -m "from launchworthy {version}"'
_PROGRESS = r"nox > (Creating|Reusing|\S*uv |cd |git |copier ).*|first run: .*"


def _filled_in(environment: str, prefix: str) -> Edited:
    name = f"{prefix}orders.invalid"
    company = f"{prefix}acme.example"
    return Edited(
        path=f"config/{environment}.toml",
        changes=(
            (f"https://{name}/mcp", f"https://orders.{company}/mcp"),
            (f"spiffe://{name}/", f"spiffe://{company}/"),
            (f'["{name}"]', f'["{company}"]'),
            (f"https://login.{name}", f"https://login.{company}"),
            (f"https://payments.{name}", f"https://payments.{company}"),
        ),
    )


FILLED_IN = (
    Edited(
        path="manifests/server.toml",
        changes=(
            ('owner     = "@left-for-later/orders.invalid"', 'owner     = "@acme/orders"'),
            ("https://on-call.orders.invalid", "https://on-call.acme.example/orders"),
            ("security@orders.invalid", "security@acme.example"),
            ('approvers = ["@left-for-later/orders.invalid"]', 'approvers = ["@acme/payments-leads"]'),
            ("1970-01-01", "TODAY"),
        ),
    ),
    _filled_in("production", ""),
    _filled_in("staging", "staging."),
    Edited(path=".github/CODEOWNERS", changes=(("@left-for-later/orders.invalid", "@acme/orders"),)),
    Edited(path="RUNBOOK.md", changes=(("@left-for-later/orders.invalid", "@acme/orders"),)),
    Edited(
        path="deploy/kustomization.yaml",
        changes=(("registry.orders.invalid", "registry.acme.example"),),
    ),
)

Story = tuple[str | Typed | Edited, ...]
STORY: Story = (
    """\
## 1. A server, in a minute

In a clone of this repository. `--defaults` leaves each of the six questions for later; without it they are
asked, and Enter does the same.
""",
    Typed(where=CLONE, command=NEW, left_out=rf"{_PROGRESS}|\s+create  .*|Copying from .*"),
    """\
The project is green before anybody has touched it. Its first run makes its own tools, below `.nox`.
""",
    Typed(where=PROJECT, command=COMMIT, left_out=r" create mode .*|Initialized .*"),
    Typed(
        where=PROJECT,
        command="python3 noxfile.py",
        left_out=rf"{_PROGRESS}|platform .*|rootdir: .*|configfile: .*|testpaths: .*|plugins: .*| ok .*",
    ),
    """\
## 2. The first call

One terminal serves. There is an identity, an issuer of tokens, an audit and a policy, all of them simulated
and only for this machine.
""",
    Typed(where=PROJECT, command="python3 noxfile.py -s dev", beside=True, left_out=_PROGRESS),
    "Another terminal calls. `-s venv` makes an environment that has the command `launchworthy` in it.\n",
    Typed(where=PROJECT, command="python3 noxfile.py -s venv", left_out=_PROGRESS),
    Typed(where=PROJECT, command=ENTERED),
    Typed(where=PROJECT, command="launchworthy dev token"),
    Typed(where=PROJECT, command="launchworthy dev call place_order"),
    Typed(where=PROJECT, command="launchworthy dev call find_orders customer=c-17"),
    """\
A call that may not be made: the token is good, and lacks a scope. The caller is told which one; why it was
refused stands in the first terminal.
""",
    Typed(where=PROJECT, command="launchworthy dev call refund_order --scope orders:read", code=1, last=True),
    """\
All three are in the audit. What was allowed was written there before its tool ran.
""",
    Typed(where=PROJECT, command="launchworthy audit show .launchworthy/dev/audit"),
    """\
## 3. What would promotion say?

First, what the tools promise is written down, to be read as a diff at each change.
""",
    Typed(where=PROJECT, command="launchworthy lock", first=24),
    Typed(
        where=PROJECT,
        command='git add -A && git commit -m "what the tools promise"',
        left_out=r" create mode .*",
    ),
    """\
`check` takes seconds, and says all that is asked before production.
""",
    Typed(where=PROJECT, command="python3 noxfile.py -s check", code=1, left_out=_PROGRESS),
    """\
Seven, and each asks a person. ID-01, TOK-04 and GOV-01 are what was left for later. The other four ask for
evidence that this hour cannot give: a look at staging, the inventory, a handover, the container as it runs
([what no gate can see](evidence.md)). Production waits for them. A rehearsal does not, and everything else
is the same there: so this hour ends with one.

`promote` rehearses the failures on the running server. It is held by exactly those three.
""",
    Typed(
        where=PROJECT,
        command="python3 noxfile.py -s promote -- --environment rehearsal",
        code=1,
        left_out=_PROGRESS,
    ),
    """\
## 4. Filled in

`git grep -F .invalid` finds every place. An editor does the rest; this is what it changed.
""",
    *FILLED_IN,
    Typed(where=PROJECT, command="git diff -U0 --no-prefix | grep '^[-+]'", left_out=r"--- .*"),
    Typed(where=PROJECT, command="launchworthy lock", first=16),
    Typed(where=PROJECT, command='git commit -am "say who answers for it"'),
    Typed(
        where=PROJECT,
        command="python3 noxfile.py -s promote -- --environment rehearsal",
        left_out=_PROGRESS,
    ),
    """\
CLEARED, and still no record: this machine does not hold the identity that signs, and should not.

## 5. The wheel

Without a record there is no wheel for any environment, whoever asks.
""",
    Typed(
        where=PROJECT,
        command='LAUNCHWORTHY_BUILD=rehearsal LAUNCHWORTHY_TRUST="$TRUST" uv build --wheel --out-dir dist',
        code=2,
    ),
    """\
Now the platform's part. In a company it is the release job that signs, once the reviewers have released it
([from CLEARED to running](from-cleared-to-running.md)). Here `$AGENT` is an agent that gives out a simulated
promoter's identity, and `$TRUST` is a [trust policy](trust-policy.md) that believes it, for rehearsals only.
""",
    Typed(
        where=PROJECT,
        command='launchworthy attest dist/promotion/report.json --endpoint "$AGENT" --trust "$TRUST"',
    ),
    Typed(
        where=PROJECT,
        command='LAUNCHWORTHY_BUILD=rehearsal LAUNCHWORTHY_TRUST="$TRUST" uv build --wheel --out-dir dist',
    ),
    Typed(where=PROJECT, command='launchworthy verify-record --trust "$TRUST"'),
    """\
For production it is `python3 noxfile.py -s build`. That wants production's record, and the trust policy where
the platform puts it; nobody has put one on this machine, so nothing is built.
""",
    Typed(where=PROJECT, command="python3 noxfile.py -s build", code=1, left_out=_PROGRESS),
    """\
## 6. Later: the first upgrade

New controls and a new template arrive as a merge into a branch, and your lines stay. It is asked for like
this; here, nothing is newer yet.
""",
    Typed(where=PROJECT, command="python3 noxfile.py -s upgrade", left_out=_PROGRESS),
    """\
`.github/workflows/upgrade.yml` of the project asks each week, and opens a pull request. Which upgrades were
tried, with which edits: [upgrades](../reference/upgrades.md).

## Where to go on

Your own tools go into `src/orders/tools.py` and `manifests/tools.toml`; a tool that no manifest declares is
not served. What borrows a credential: [credentials for upstreams](credentials.md). What asks a person first:
[asking a person](asking-a-person.md). A server that exists already: [moving it](adopting.md).
""",
)
HEAD = """\
# The first hour

Somebody follows the README, on a machine with Python, git and an empty home. Everything below was typed and
printed by one real run; `python3 noxfile.py -s first-hour` makes it again.
What differs from run to run stands in capitals, such as TIME, PORT, DIGEST and CALL-ID, and `…` stands for
lines that are left out. Nothing else was changed.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """One command of the run, cleaned: what it printed, and what the terminal beside it printed meanwhile."""

    where: str
    command: str
    code: int
    said: str
    beside: str


def recorded() -> tuple[Printed, ...]:
    """The kept record of the last run."""
    return tuple(Printed(**each) for each in json.loads(RECORD.read_text(encoding="utf-8")))


def typed() -> tuple[Typed, ...]:
    """The commands of the story, in order."""
    return tuple(each for each in STORY if isinstance(each, Typed))


def first_hour_page() -> str:
    """The page.

    Raises:
        ValueError: the record is of other commands than the story tells.
    """
    record = recorded()
    if [(each.where, each.code) for each in record] != [(each.where, each.code) for each in typed()]:
        raise ValueError("the record is of another story: run `python3 noxfile.py -s first-hour`")
    return HEAD + "\n".join(_told(record))


def _told(record: tuple[Printed, ...]) -> Iterator[str]:
    printed = iter(record)
    for each in STORY:
        if isinstance(each, str):
            yield each
        elif isinstance(each, Typed):
            shown = next(printed)
            if shown.command.replace(_version_in(shown.command), "{version}") != each.command:
                raise ValueError(f"the record has `{shown.command}`: run `python3 noxfile.py -s first-hour`")
            yield _fence(f"{each.where}$ {shown.command}", _short(shown.said, each))
            if shown.beside:
                yield "In the first terminal:\n"
                yield _fence(None, shown.beside)


def _version_in(command: str) -> str:
    found = re.search(r"from launchworthy (\d\S*?)\"", command)
    return found[1] if found else "{version}"


def _fence(command: str | None, said: str) -> str:
    lines = [*([] if command is None else [command]), *said.splitlines()]
    return "\n".join(["```console", *lines, "```", ""])


def _short(said: str, typed: Typed) -> str:
    """Without what is left out; one `…` for each run of such lines."""
    lines: list[str] = []
    for line in said.strip("\n").splitlines():
        left = re.fullmatch(typed.left_out, line) or sum(each != "…" for each in lines) >= typed.first
        if not left:
            lines.append(line)
        elif lines[-1:] != ["…"]:
            lines.append("…")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))
