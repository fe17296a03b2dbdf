"""Write every reference page that is generated: `nox -s references`."""

from pathlib import Path

from launchworthy.cli.pages.event_reference import event_reference

ROOT = Path(__file__).parents[2]
PAGES = {"docs/reference/audit-events.md": event_reference}


def main() -> None:
    for path, page in PAGES.items():
        (ROOT / path).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
