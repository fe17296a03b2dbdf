"""Is all that is left to do worked out before anything is touched, and is it nothing the second time?"""

import pytest

from launchworthy.migration.plan import plan
from launchworthy.migration.releases import Release
from launchworthy.migration.steps import STEPS, KeyRename, Move, Step
from launchworthy.vocabulary import ProblemError

FILES = {
    "src/orders/store.py": "store",
    "src/orders/tools.py": "tools",
    "deploy/a.yaml": "a",
    "deploy/sub/b.yaml": "b",
    "config/production.toml": "[server]\nold = 1  # kept\n",
    "config/sub/not.toml": "[server]\nold = 1\n",
}


def step(*, minor=2, moves=(), keys=()):
    return Step(release=Release(0, minor, 0), why="a reason", moves=moves, keys=keys)


KEY = KeyRename(files="config/*.toml", table=("server",), before="old", after="new")


def applied(files, planned):
    now = dict(files)
    for before, after in planned.moves:
        now[after] = now.pop(before)
    return now | dict(planned.texts)


def test_paths_move_with_what_the_star_was_and_folders_with_all_that_is_in_them():
    steps = (
        step(
            moves=(
                Move(before="src/*/store.py", after="src/*/shelf.py"),
                Move(before="deploy", after="kubernetes"),
            )
        ),
    )
    planned = plan(steps, FILES)
    assert planned.moves == (
        ("src/orders/store.py", "src/orders/shelf.py"),
        ("deploy/a.yaml", "kubernetes/a.yaml"),
        ("deploy/sub/b.yaml", "kubernetes/sub/b.yaml"),
    )
    assert planned.texts == {}
    again = plan(steps, applied(FILES, planned))
    assert (again.moves, again.texts, again.says) == ((), {}, ())


def test_a_key_is_renamed_in_the_files_of_its_pattern_only():
    planned = plan((step(keys=(KEY,)),), FILES)
    assert planned.texts == {"config/production.toml": "[server]\nnew = 1  # kept\n"}
    assert planned.says == ("config/production.toml: `old` → `new` in [server]   (0.2.0: a reason)",)
    assert plan((step(keys=(KEY,)),), applied(FILES, planned)).says == ()


def test_steps_build_on_each_other():
    later = KeyRename(files="settings/*.toml", table=("server",), before="new", after="newest")
    steps = (
        step(keys=(KEY,)),
        step(minor=3, moves=(Move(before="config", after="settings"),), keys=(later,)),
    )
    planned = plan(steps, FILES)
    assert planned.texts == {"settings/production.toml": "[server]\nnewest = 1  # kept\n"}
    assert len(planned.says) == 4
    assert plan(steps, applied(FILES, planned)).says == ()


def test_nothing_is_planned_where_one_thing_needs_a_person():
    files = {**FILES, "src/orders/shelf.py": "mine", "config/staging.toml": "[server]\nold = 1\nnew = 2\n"}
    steps = (step(moves=(Move(before="src/*/store.py", after="src/*/shelf.py"),), keys=(KEY,)),)
    with pytest.raises(ProblemError) as refused:
        plan(steps, files)
    assert [(each.reason, each.where) for each in refused.value.problems] == [
        ("not-migrated", "src/orders/store.py"),
        ("not-migrated", "config/staging.toml"),
    ]


def test_what_a_team_threw_away_is_nobodys_to_move():
    files = {"src/orders/tools.py": "tools"}
    assert plan((step(moves=(Move(before="src/*/store.py", after="src/*/shelf.py"),)),), files).says == ()


def test_the_steps_are_in_the_order_of_their_releases():
    releases = [each.release for each in STEPS]
    assert releases == sorted(releases)
