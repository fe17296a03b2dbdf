"""From every release to every later one: nothing a team did is lost, nothing conflicts, no answer changes."""

from pathlib import Path

import pytest
from releases import Releases, make_releases
from rendering import ROOT, files_of, git
from upgrading import MOVED, Upgraded, start, table, upgrades, work

pytestmark = pytest.mark.xdist_group("upgrades")  # one process makes the releases and the matrix, once
PAGE = ROOT / "docs" / "reference" / "upgrades.md"


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return make_releases(tmp_path_factory.mktemp("releases") / "repository")


@pytest.fixture(scope="module")
def rows(releases: Releases, tmp_path_factory: pytest.TempPathFactory) -> list[Upgraded]:
    folder = tmp_path_factory.mktemp("upgraded")
    return [row for tag in releases.tags[:-1] for row in upgrades(releases, folder / tag, tag)]


def test_every_tag_of_this_repository_is_in_the_upgrade_matrix(releases: Releases) -> None:
    real = git(ROOT, "tag", "--list", "v*").split()
    assert set(real) <= set(releases.tags)
    assert len(releases.simulated) >= 3


def test_every_pair_of_releases_is_in_the_upgrade_matrix(releases: Releases, rows: list[Upgraded]) -> None:
    """Patches that a newer patch of the same minor follows are passed by."""
    last = releases.tags[-1]
    assert {row.before for row in rows if row.after == last} == set(releases.tags[:-1])
    assert {(row.before, row.after) for row in rows if row.updates == 1} >= set(
        zip(releases.tags[-4:-1], releases.tags[-3:], strict=True)
    )


def test_no_upgrade_of_the_matrix_loses_anything(rows: list[Upgraded]) -> None:
    for row in rows:
        assert (row.lost, row.conflicts, row.vanished, row.answers) == ((), (), (), ()), row


def test_the_page_shows_the_upgrade_matrix(
    releases: Releases, rows: list[Upgraded], request: pytest.FixtureRequest
) -> None:
    shown = table(releases, rows)
    if request.config.getoption("--write-pages"):
        PAGE.write_text(shown, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == shown


def test_without_the_move_before_it_an_update_would_lose_the_edit(releases: Releases, tmp_path: Path) -> None:
    """The twin: this is why the move is one release earlier, and why no minor version is left out."""
    import copier

    project = tmp_path / "project"
    start(releases, project, releases.tags[-4])
    work(project)
    before = "tests/test_tools.py"
    copier.run_update(project, vcs_ref=releases.tags[-2], defaults=True, overwrite=True, quiet=True)
    files = files_of(project)
    assert before not in files
    assert b"What our tools do" not in files[MOVED[before]]


def test_a_renamed_setting_of_a_teams_own_file_has_its_new_name(
    releases: Releases, rows: list[Upgraded]
) -> None:
    later = releases.tags[-2:]
    assert {row.after: row.setting for row in rows} == {
        tag: "lifetime" if tag in later else "max_lifetime" for tag in {row.after for row in rows}
    }
    assert {row.setting for row in rows} == {"lifetime", "max_lifetime"}
