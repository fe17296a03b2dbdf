"""A project is found by the names of its files, and where there is none, that is said."""

import pytest

from launchworthy.promotion.place import find_place, place_at
from launchworthy.vocabulary import ProblemError


@pytest.fixture
def root(tmp_path):
    for path in ("manifests/server.toml", "src/orders/__main__.py", "src/orders/deep/tools.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    return tmp_path


def test_it_is_found_from_every_folder_of_it(root):
    assert find_place(root) == find_place(root / "src" / "orders" / "deep") == place_at(root)
    assert (place_at(root).root, place_at(root).package) == (root, "orders")


@pytest.mark.parametrize("change", ["no manifest", "no package", "two packages"])
def test_a_folder_that_is_no_project_is_refused(root, change):
    if change == "no manifest":
        (root / "manifests" / "server.toml").unlink()
    elif change == "no package":
        (root / "src" / "orders" / "__main__.py").unlink()
    else:
        (root / "src" / "more").mkdir()
        (root / "src" / "more" / "__main__.py").touch()
    for find in (find_place, place_at):
        with pytest.raises(ProblemError) as raised:
            find(root)
        assert raised.value.problems[0].reason == "no-project"
