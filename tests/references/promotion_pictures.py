"""What does a promotion look like? Pictures of real ones: `nox -s pictures`.

The reference project is promoted as it is, and with nobody on call: the terminal is drawn, and the page is
looked at in Chromium, as wide as a desk and as a phone.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from picture import drawn

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration" / "promotion_rehearsals"))

from promoted_orders import PromotedOrders  # noqa: E402 - it lies beside the tests of the gate

PICTURES = ROOT / "docs" / "pictures"
COMMAND = ("promote", "--environment", "rehearsal")
SIZES = {"desk": (1280, 1000), "phone": (500, 1000)}
ON_CALL = ("manifests/server.toml", "https://on-call.acme.example/orders", "https://on-call.orders.invalid")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pictures-") as place:
        project = PromotedOrders.make(Path(place))
        draw_terminal(project, "promote-cleared")
        photograph(project, "report-cleared")
        project.edit(*ON_CALL)
        project.commit()
        draw_terminal(project, "promote-held")
        photograph(project, "report-held")


def draw_terminal(project: PromotedOrders, name: str) -> None:
    said = project.launchworthy(*COMMAND).stdout.strip("\n").splitlines()
    lines = ["$ launchworthy promote --environment rehearsal", "", *(line.rstrip() for line in said)]
    (PICTURES / f"{name}.svg").write_text(drawn(lines, title="launchworthy promote", colour=colour_of))


def colour_of(line: str) -> str:
    """Of one line of the terminal's report."""
    first = line.split(maxsplit=1)[0] if line.split() else ""
    if line.startswith("$"):
        return "#7aa2f7"
    if first == "HELD" or (first[:3].isupper() and "-" in first):
        return "#f7768e"
    return "#9ece6a" if first == "CLEARED" else "#e0af68" if first == "→" else "#c0caf5"


def photograph(project: PromotedOrders, name: str) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("chromium is not here: the pictures of the page stay as they were")  # noqa: T201 - for who asked
        return
    page = (project.root / "dist" / "promotion" / "report.html").as_uri()
    for device, (width, height) in SIZES.items():
        options = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
        target = PICTURES / f"{name}-{device}.png"
        size = f"--window-size={width},{height}"
        subprocess.run(
            [chromium, *options, size, f"--screenshot={target}", page], check=True, capture_output=True
        )


if __name__ == "__main__":
    main()
