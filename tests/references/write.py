"""Write every reference page that is generated: `nox -s references`."""

import json
import sys
from pathlib import Path

from bad_input_reference import bad_input_reference
from detector_reference import detector_reference
from doctor_reference import doctor_reference
from first_hour import first_hour_page
from picture import audit_show_svg
from refusal_reference import refusal_reference

from launchworthy.audit.verification_report import report_schema
from launchworthy.cli.pages.control_reference import control_reference
from launchworthy.cli.pages.event_reference import event_reference
from launchworthy.cli.pages.mapping_reference import mapping_reference
from launchworthy.promotion.live.document import live_schema
from launchworthy.promotion.report_file import ReportFile

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "forgeries"))
from forgery_list import forgery_page  # noqa: E402 - beside the tests that commit them

PAGES = {
    "docs/guides/first-hour.md": first_hour_page,
    "docs/reference/bad-input.md": bad_input_reference,
    "docs/pictures/audit-show.svg": audit_show_svg,
    "docs/reference/forgeries.md": forgery_page,
    "docs/reference/controls.md": control_reference,
    "docs/reference/mapping.md": mapping_reference,
    "docs/reference/promotion-report.schema.json": lambda: (
        json.dumps(ReportFile.model_json_schema(by_alias=True), indent=1) + "\n"
    ),
    "docs/reference/live-run.schema.json": lambda: json.dumps(live_schema(), indent=1) + "\n",
    "docs/reference/audit-events.md": event_reference,
    "docs/reference/detector.md": detector_reference,
    "docs/reference/identity-doctor.md": doctor_reference,
    "docs/reference/audit-verification.schema.json": lambda: json.dumps(report_schema(), indent=1) + "\n",
}

GROWING = {"docs/reference/refusals.md": refusal_reference}
"""Pages of which a new test makes a new row: every row must be shown, and the newest may be missing."""


def main() -> None:
    for path, page in (PAGES | GROWING).items():
        (ROOT / path).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
