"""The lock is one fact a line, and nothing in it can change without a difference that is shown."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launchworthy.promotion import lock


def test_the_lock_of_an_unchanged_project_is_the_same_text(reference):
    text = lock.render(reference.project())
    assert text == (reference.root / "launchworthy.lock").read_text()
    assert lock.difference(text, text) == ()
    assert lock.unified(text, text) == ""


def test_every_line_is_a_fact_a_section_a_comment_or_empty(reference):
    for line in lock.render(reference.project()).split("\n"):
        assert line == "" or line[0] in "#[" or " = " in line


def test_it_holds_who_may_what_where_and_what_clients_see(reference):
    lines = lock.render(reference.project()).splitlines()
    for fact in (
        'scopes = ["orders:refund"]',
        'effect = "destructive"',
        "published.annotations.destructiveHint = true",
        'published.description = "Refund a paid order, once and in full."',
        "[settings.production]",
        "[settings.staging]",
        "[policy.production]",
    ):
        assert fact in lines


def test_a_difference_names_the_fact_and_shows_five(reference):
    before = lock.render(reference.project())
    after = lock.render(reference.project(("manifests/tools.toml", '"orders:refund"', '"orders:pay"')))
    assert "tools.refund_order.scopes is another than when it was reviewed" in lock.difference(before, after)
    [*shown, more] = lock.difference("", before)
    assert (len(shown), more.startswith("and ")) == (5, True)
    assert '-scopes = ["orders:refund"]\n+scopes = ["orders:pay"]' in lock.unified(before, after)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\n",
        lambda text: text.replace("# What", "# Not what"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text + '[tools.find_orders]\nscopes = ["orders:read"]\n',
    ],
)
def test_a_lock_that_was_edited_by_hand_is_another_lock(reference, change):
    text = lock.render(reference.project())
    assert lock.difference(change(text), text)


@given(st.text(min_size=1), st.text())
def test_no_text_of_a_description_can_hide_a_change(first, second):
    def one(text):
        return "".join(lock._section("tools.x", {"published": {"description": text}}))

    before, after = one(first), one(second)
    assert before.count("\n") == 3
    assert (lock.difference(before, after) == ()) == (first == second)


def test_a_check_renders_and_never_writes(reference):
    project = reference.project(("manifests/tools.toml", '"orders:refund"', '"orders:pay"'))
    before = (project.root / lock.NAME).read_bytes()
    lock.difference(before.decode(), lock.render(project))
    assert (project.root / lock.NAME).read_bytes() == before


def test_settings_that_cannot_be_read_leave_their_section_out_and_so_differ(reference):
    project = reference.project()
    staging = next(iter(project.others))
    broken = lock.render(replace(project, others={staging: ()}))
    assert "settings.staging.server.resource is gone" in "".join(lock._changes(lock.render(project), broken))
