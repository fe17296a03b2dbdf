"""Does the history of a project know a later record than the one that is kept? An older one is as genuine."""

import struct
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from repository import ENVIRON, Repository

from launchworthy.attestation import TrustPolicy, parse_envelope, parse_statement
from launchworthy.promotion.approvals.book import FOLDER
from launchworthy.promotion.chain import NO_LINK, Link
from launchworthy.promotion.chain_witness import witnessed_link
from launchworthy.vocabulary import Environment, ProblemError

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "unit" / "attestation"))
from promoters import DAY, Authority, record, trust_policy
from promoters import NOW as SIGNED

KEPT = f"{FOLDER}/record-production.dsse.json"


@pytest.fixture(scope="module")
def acme() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def trust(acme: Authority) -> TrustPolicy:
    return trust_policy(acme, simulated=Authority(domain="dev.invalid"))


def keep(repository: Repository, authority: Authority, number: int, **changes: object) -> str:
    """Commit a record, of the day of its number; returns its id."""
    record_id = f"lwr1-{number:032x}"
    when = SIGNED + number * DAY
    made = record(
        authority.signer(not_before=when - 60, not_after=when + 3000),
        record_id=record_id,
        signed_at=when,
        build_until=when + 30 * DAY,
        run_until=when + 90 * DAY,
        **changes,
    )
    repository.write(KEPT, made.envelope.decode())
    repository.commit()
    return record_id


def link(repository: Repository, trust: TrustPolicy) -> Link:
    now = SIGNED + 20 * DAY
    return witnessed_link(repository.root, Environment.PRODUCTION, trust, environ=ENVIRON, now=now)


def refused(repository: Repository, trust: TrustPolicy, reason: str) -> str:
    with pytest.raises(ProblemError) as caught:
        link(repository, trust)
    assert caught.value.problems[0].reason == reason
    return caught.value.problems[0].what


def roll_back(repository: Repository, authority: Authority) -> None:
    """Put the record before the last one in its place."""
    keep(repository, authority, 1)
    older = (repository.root / KEPT).read_bytes()
    keep(repository, authority, 2)
    (repository.root / KEPT).write_bytes(older)
    repository.commit()


def test_where_there_never_was_a_record_a_chain_begins(repository: Repository, trust: TrustPolicy) -> None:
    assert link(repository, trust) == NO_LINK


def test_the_last_record_is_the_end_of_the_chain(
    repository: Repository, acme: Authority, trust: TrustPolicy
) -> None:
    keep(repository, acme, 1)
    last = keep(repository, acme, 2)
    found = link(repository, trust)
    assert found.reference is not None
    assert found.reference.record_id == last


def test_an_older_record_in_its_place_is_refused_by_name(
    repository: Repository, acme: Authority, trust: TrustPolicy
) -> None:
    first = keep(repository, acme, 1)
    older = (repository.root / KEPT).read_bytes()
    last = keep(repository, acme, 2, secrets=("lwf1-00112233445566aa",))
    (repository.root / KEPT).write_bytes(older)
    repository.commit()
    what = refused(repository, trust, "record-rolled-back")
    assert first in what
    assert last in what


def test_a_record_that_was_taken_away_is_refused_and_put_back_as_it_is_said(
    repository: Repository, acme: Authority, trust: TrustPolicy
) -> None:
    last = keep(repository, acme, 1)
    good = (repository.root / KEPT).read_bytes()
    (repository.root / KEPT).unlink()
    repository.commit()
    with pytest.raises(ProblemError) as caught:
        link(repository, trust)
    [problem] = caught.value.problems
    assert (problem.reason, last in problem.what) == ("record-rolled-back", True)
    blob = problem.fix[0].removeprefix("git show ").partition(" ")[0]
    assert repository.git("show", blob).encode() == good.strip()
    repository.write(KEPT, good.decode())
    repository.commit()
    assert link(repository, trust).reference is not None


def test_a_branch_that_was_never_merged_is_seen_and_what_each_of_a_fork_says_is_carried_on(
    repository: Repository, acme: Authority, trust: TrustPolicy
) -> None:
    def renewed(count: int) -> tuple[dict[str, object], ...]:
        return ({"control": "SUP-01", "count": count, "until": SIGNED + count},)

    repository.git("switch", "-q", "-c", "urgent")
    keep(repository, acme, 1, renewals=renewed(2), secrets=("lwf1-00112233445566aa",))
    repository.git("switch", "-q", "main")
    keep(repository, acme, 2, renewals=renewed(1), secrets=("lwf1-00112233445566bb",))
    found = link(repository, trust)
    assert [each.count for each in found.renewals.values()] == [2]
    assert found.secrets == {"lwf1-00112233445566aa", "lwf1-00112233445566bb"}
    repository.git("switch", "-q", "urgent")
    refused(repository, trust, "record-rolled-back")


def test_what_is_not_genuine_stops_nobody_however_late_it_says_that_it_is(
    repository: Repository, acme: Authority, trust: TrustPolicy
) -> None:
    keep(repository, Authority(), 9)
    repository.write(KEPT, "x" * (1 << 20))
    repository.commit()
    mine = keep(repository, acme, 1)
    found = link(repository, trust)
    assert found.reference is not None
    assert found.reference.record_id == mine


def test_a_record_that_is_revoked_or_long_over_is_a_witness_all_the_same(
    repository: Repository, acme: Authority
) -> None:
    keep(repository, acme, 1)
    older = (repository.root / KEPT).read_bytes()
    last = keep(repository, acme, 2)
    (repository.root / KEPT).write_bytes(older)
    repository.commit()
    revoked = f'[revoked]\nrecords = ["{last}"]\n'
    hard = trust_policy(acme, simulated=Authority(domain="dev.invalid"), more=revoked)
    refused(repository, hard, "record-rolled-back")


def test_another_environments_record_is_no_witness(
    repository: Repository, acme: Authority, trust: TrustPolicy
) -> None:
    last = keep(repository, acme, 2)
    content = (repository.root / KEPT).read_text()
    keep(repository, acme, 1)
    history = repository.git("log", "--format=%H", "--", KEPT).splitlines()
    assert len(history) == 2
    refused(repository, trust, "record-rolled-back")
    predicate = parse_statement(parse_envelope(content.encode()).payload).predicate
    assert predicate.record_id == last
    staging = witnessed_link(
        repository.root, Environment.STAGING, trust, environ=ENVIRON, now=SIGNED + 20 * DAY
    )
    assert staging == NO_LINK


def test_a_shallow_clone_is_no_witness(
    repository: Repository, acme: Authority, trust: TrustPolicy, tmp_path: Path
) -> None:
    keep(repository, acme, 1)
    shallow = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth=1", f"file://{repository.root}", str(shallow))
    refused(Repository(shallow), trust, "history-not-whole")


def tag_the_record(repository: Repository) -> None:
    repository.git("tag", "any", f"HEAD~1:{KEPT}")


def tag_its_folder(repository: Repository) -> None:
    repository.git("tag", "any", f"HEAD~1:{FOLDER}")


def give_it_another_name(repository: Repository) -> None:
    """On a branch of its own, younger than all others: there the record's path is a folder."""
    content = repository.git("show", f"HEAD~1:{KEPT}")
    repository.git("switch", "-q", "--orphan", "other")
    repository.write(f"{KEPT}/any", content + "\n")
    repository.commit()
    repository.git("switch", "-q", "main")


def merge_it_away(repository: Repository) -> None:
    """The branch that has it is merged without it, and gone."""
    repository.git("branch", "later", "HEAD~1")
    repository.git("switch", "-q", "-C", "main", "HEAD~2")
    repository.git("merge", "-q", "-s", "ours", "-m", "merge", "later")
    repository.git("branch", "-q", "-D", "later")


def forge_the_graph(repository: Repository) -> None:
    """Let git's own cache say that the last commit is the first."""
    repository.git("commit-graph", "write", "--reachable")
    file = repository.root / ".git" / "objects" / "info" / "commit-graph"
    graph = bytearray(file.read_bytes())
    rows = [graph[8 + 12 * each : 20 + 12 * each] for each in range(graph[6])]
    chunks = {bytes(row[:4]): struct.unpack(">Q", row[4:])[0] for row in rows}
    names = graph[chunks[b"OIDL"] : chunks[b"CDAT"]]
    place = names.index(bytes.fromhex(repository.git("rev-parse", "HEAD").strip())) // 20
    parent = chunks[b"CDAT"] + place * 36 + 20
    graph[parent : parent + 4] = struct.pack(">I", 0x70000000)
    file.chmod(0o600)
    file.write_bytes(graph)
    assert repository.git("rev-list", "--count", "HEAD").strip() == "1"


@pytest.mark.parametrize(
    "hide", [tag_the_record, tag_its_folder, give_it_another_name, merge_it_away, forge_the_graph]
)
def test_nothing_beside_the_history_hides_the_later_record(
    repository: Repository, acme: Authority, trust: TrustPolicy, hide: Callable[[Repository], None]
) -> None:
    roll_back(repository, acme)
    hide(repository)
    refused(repository, trust, "record-rolled-back")


def test_a_link_to_a_record_is_none(repository: Repository, acme: Authority, trust: TrustPolicy) -> None:
    keep(repository, acme, 1)
    kept = repository.root / KEPT
    repository.write("elsewhere/any.json", kept.read_text())
    kept.unlink()
    kept.symlink_to("../elsewhere/any.json")
    refused(repository, trust, "record-unreadable")


def test_a_project_in_a_folder_of_its_repository_has_a_history_too(
    repository: Repository, acme: Authority, trust: TrustPolicy
) -> None:
    roll_back(repository, acme)
    below = repository.root / "servers" / "orders"
    below.mkdir(parents=True)
    assert link(Repository(below), trust) == NO_LINK
    for commit in ("HEAD~1", "HEAD"):
        content = repository.git("show", f"{commit}:{KEPT}")
        repository.write(f"servers/orders/{KEPT}", f"{content}\n")
        repository.commit()
    refused(Repository(below), trust, "record-rolled-back")
