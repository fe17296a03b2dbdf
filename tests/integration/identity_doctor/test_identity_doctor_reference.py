"""The doctor's page in the documentation is what the doctor says, in each state that it names."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_page_is_what_the_doctor_says_today():
    spec = importlib.util.spec_from_file_location("doctor", ROOT / "tests/references/doctor_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs/reference/identity-doctor.md").read_text(encoding="utf-8")
    assert page == module.doctor_reference(), "run: nox -s references"
    states = page.split("\n## ")[1:]
    assert len(states) > 20
    healthy, *broken = states
    assert "✗" not in healthy
    assert all(state.count(" ✗ ") == 1 and " → " in state and "\n exit 1" in state for state in broken)
