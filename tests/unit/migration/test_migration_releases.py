"""Is the next release the next one, never one that skips a minor version, and never one that goes back?"""

import pytest

from launchworthy.migration.releases import Release, choose, release, standing
from launchworthy.migration.source import address
from launchworthy.vocabulary import ProblemError

RELEASED = frozenset(
    Release(*each) for each in [(0, 1, 0), (0, 1, 1), (0, 1, 2), (0, 2, 0), (0, 2, 3), (0, 10, 0), (1, 0, 0)]
)


def at(said):
    return standing({"_commit": said, "_src_path": "gh:acme/launchworthy"})


@pytest.mark.parametrize(
    ("said", "following"),
    [
        ("v0.1.0", "v0.1.2"),
        ("v0.1.2", "v0.2.3"),
        ("v0.2.0", "v0.2.3"),
        ("v0.2.3", "v0.10.0"),
        ("v0.10.0", "v1.0.0"),
        ("v0.1.2-3-gabc1234", "v0.2.3"),
        ("5f5c1f2", "v0.1.2"),
        ("0.1.0", "v0.1.2"),
    ],
)
def test_patches_come_first_and_then_one_minor_version_at_a_time(said, following):
    assert choose(at(said), RELEASED, to=None) == release(following)


@pytest.mark.parametrize("said", ["v1.0.0", "v1.0.1", "v1.0.0-2-gabcdef0"])
def test_who_has_the_newest_is_told_nothing(said):
    assert choose(at(said), RELEASED, to=None) is None


@pytest.mark.parametrize(
    ("said", "to", "reason"),
    [
        ("v0.2.0", "v0.1.2", "template-downgrade"),
        ("v0.1.0", "v0.3.0", "template-not-released"),
        ("v0.1.0", "v0.10.0", "template-skipped"),
        ("v0.1.2", "v1.0.0", "template-skipped"),
        ("v0.1.0-2-gabcdef0", "v0.0.9", "template-downgrade"),
    ],
)
def test_what_was_asked_for_is_refused_where_it_goes_back_or_too_far(said, to, reason):
    with pytest.raises(ProblemError) as refused:
        choose(at(said), RELEASED, to=release(to))
    assert refused.value.problems[0].reason == reason


@pytest.mark.parametrize(("said", "to"), [("v0.1.0", "v0.1.1"), ("v0.1.0", "v0.2.0"), ("v0.2.3", "v0.10.0")])
def test_what_was_asked_for_is_taken_where_it_is_near(said, to):
    assert choose(at(said), RELEASED, to=release(to)) == release(to)


def test_nothing_is_released_yet():
    assert choose(at("5f5c1f2"), frozenset(), to=None) is None
    with pytest.raises(ProblemError):
        choose(at("5f5c1f2"), frozenset(), to=release("v0.1.0"))


@pytest.mark.parametrize(
    "tag", ["v0.1", "v0.1.0-rc.1", "framework-v0.1.0", "v00.1.0", "v0.1.0 ", "0.1.0\n", "v٣.1.0"]
)
def test_what_is_no_release_is_none(tag):
    assert release(tag) is None


@pytest.mark.parametrize("answers", [None, [], {"_commit": "v0.1.0"}, {"name": "orders"}, "text"])
def test_answers_without_a_template_are_refused(answers):
    with pytest.raises(ProblemError) as refused:
        standing(answers)
    assert refused.value.problems[0].reason == "no-template"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("gh:acme/launchworthy", "https://github.com/acme/launchworthy"),
        ("git+https://git.acme.example/launchworthy", "https://git.acme.example/launchworthy"),
        ("git@git.acme.example:launchworthy.git", "git@git.acme.example:launchworthy.git"),
        ("/srv/launchworthy", "/srv/launchworthy"),
    ],
)
def test_git_is_told_what_copier_was_told(source, told):
    assert address(source) == told
