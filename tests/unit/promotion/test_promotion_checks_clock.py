"""A clock that is behind extends every date that is judged by it, and is held."""

import subprocess

import pytest
from promotion_project import NOW, load, look

from launchworthy.promotion.finding import Status


@pytest.mark.parametrize(
    ("ahead", "status"), [(0, Status.PASS), (240, Status.PASS), (360, Status.FAIL), (86_400, Status.FAIL)]
)
def test_a_commit_from_the_future_is_held(reference, ahead, status):
    root = reference.project().root
    when = {f"GIT_{who}_DATE": f"{NOW + ahead} +0000" for who in ("AUTHOR", "COMMITTER")}
    who = ("-c", "user.name=team", "-c", "user.email=team@orders.invalid", "-c", "commit.gpgsign=false")
    command = ("git", *who, "commit", "-q", "--allow-empty", "-m", "later")
    subprocess.run(command, cwd=root, env={"PATH": "/usr/bin:/bin", **when}, check=True)
    finding = look("GOV-06", load(root, reference.answer))
    assert finding.status is status
    assert ("was made" in finding.message) is (status is Status.FAIL)
