"""How does the page look? One style sheet, light and dark, for desk and hand; allowed by its digest."""

import base64
import hashlib
from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --ground: #eef1f5; --card: #ffffff; --ink: #161b22; --soft: #505b68; --line: #d3dae2; --value: #f5f7fa;
  --yes: #0a6b3d; --on-yes: #ffffff; --no: #a1261b; --focus: #0b57d0; --warn: #7a4b00; --on-warn: #fff4e0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1116; --card: #171c24; --ink: #e9edf3; --soft: #a7b3c1; --line: #313a46; --value: #0f141a;
    --yes: #4cd28f; --on-yes: #04170d; --no: #ff9d92; --focus: #8ab4ff; --warn: #ffd798; --on-warn: #2a2112;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 42rem; margin: clamp(0rem, 6vw, 4rem) auto; padding: clamp(1.25rem, 5vw, 2.5rem);
  background: var(--card); border: 1px solid var(--line); border-radius: 0.75rem; }
.server { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
h1 { margin: 0.25rem 0 1.25rem; font-size: 1.625rem; line-height: 1.25; }
h2 { margin: 1.75rem 0 0.5rem; font-size: 1.0625rem; }
p { margin: 0.75rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.375rem 1.25rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; border: 1px solid var(--line); }
th, td { padding: 0.5rem 0.75rem; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
th { width: 1%; white-space: nowrap; font-weight: 600; }
code { font: 0.9375rem/1.5 ui-monospace, SFMono-Regular, "DejaVu Sans Mono", "Liberation Mono", monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; direction: ltr; }
th code { white-space: pre; }
td { background: var(--value); }
.effect { display: inline-block; padding: 0 0.5rem; border-radius: 1rem; font-size: 0.875rem;
  color: var(--warn); background: var(--on-warn); border: 1px solid currentColor; }
.note { color: var(--soft); }
form { display: flex; flex-wrap: wrap; gap: 0.75rem; margin-top: 1.5rem; }
button, .button { flex: 1 1 12rem; min-height: 3rem; padding: 0.625rem 1.25rem; border-radius: 0.5rem;
  font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer; }
.yes { color: var(--on-yes); background: var(--yes); border: 2px solid var(--yes); }
.no { color: var(--no); background: transparent; border: 2px solid var(--no); }
.button { display: inline-block; margin-top: 0.75rem; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 3px; }
@media (max-width: 34rem) {
  main { border-width: 0 0 1px; border-radius: 0; min-height: 100vh; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: 0.5rem; }
  table, tbody, tr, th, td { display: block; width: auto; }
  tr { border-top: 1px solid var(--line); }
  th, td { border: 0; }
  th { padding-bottom: 0; }
  th code { white-space: pre-wrap; }
  tr:first-child { border-top: 0; }
}
@media (forced-colors: active) { .yes, .no, .effect { border-color: ButtonText; } }
"""

DIGEST: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")
"""What the content security policy allows, and nothing else."""
