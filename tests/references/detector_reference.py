"""`docs/reference/detector.md`: what the detector of secrets finds in the corpus, and where it errs."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from launchworthy.detection import find_secrets

TESTS = Path(__file__).parents[1]
sys.path.append(str(TESTS / "unit/detection"))
from detection_corpus import Snippet, corpus  # noqa: E402 - it lies beside the tests that use it

SEED = 20261120
ROUNDS = 15
HEAD = """# What the detector of secrets finds

`launchworthy secrets scan`, the settings, and the promotion share one detector (`launchworthy.detection`).
This page is a run of it over a corpus that a seeded generator makes: {pairs} secrets, each beside a benign
twin (a reference, a placeholder, a digest, an identifier), in {forms} kinds of files. No token stands in
this repository: each is made when the test runs. The page is generated (`nox -s references`), and a test
compares.

| | |
| --- | --- |
| secrets found | {found} of {pairs} ({recall:.1%}; the bar is 92 %) |
| twins taken for secrets | {wrong} of {twins} ({false:.1%}; at most 3 %) |

The corpus is our own, so these numbers say that nothing got worse. Three more were written by another hand,
each without a look at the rules, and measured before anything was changed for it (2026-11-20):

| | forms | pairs | found unseen | twins taken | found now |
| --- | --- | --- | --- | --- | --- |
| the commonest: `.env`, compose, Spring, Django, workflows, charts | 65 | 195 | 99.6 % | 0 % | 99.6 % |
| the wild: Terraform, kubeconfig, JDBC, `.npmrc`, netrc, SQL, calls | 152 | 456 | 83 % | 3.0 % | 98 % |
| the rare: Hadoop, IPsec, `htpasswd -b`, Rust, Gradle | 71 | 213 | 76 % | 1.9 % | 92 % |

So the bar holds where most configuration is written, and the rarer the notation, the more is missed. What
the last two showed is a test now (`test_detection_wild.py`); what they still miss is below.
"""
TAIL = """
## Where it errs, and what is meant to be so

* **Passphrases of words** with hyphens, alone under a name that is no password's (`jwt_secret:
  quiet-river-stone`), look like names of things, and are left alone outside environment variables.
* **In source code** a value must look like a secret too, because most strings beside a word such as `token`
  are names: a chosen password of letters only, or a random value with hardly a digit, passes there. In
  configuration the name is enough.
* **Inside a Kubernetes `Secret`** everything generated counts as one, an entity tag or a page token too:
  whoever stores it there said so.
* **A value that begins like a tag or an option** (`!word…`, `--word`) is read as one.
* **Names that promise nothing**, far from one that does: a list below `secrets:` with keys between, a
  header of one vendor (`x-honeycomb-team`), a password by its position (`createUser ops SHA "…"`).
* **A key of WordPress** that happens to hold `<%` or `{{` looks like a template.
* **Split, encrypted or encoded twice**: what is put together at run time is not seen. Base64 is opened
  once.
* A finding that is none is recorded in `promotion.toml` with a reason and an approval, never by a comment
  beside it.

On realistic text and code it reads 6 to 9 MB a second on one core of the machine that wrote this; where
every line holds a secret, 1.3. A test holds it to half the bar of 5 MB/s on the standard library's sources.
"""


def detector_reference() -> str:
    """The page, from a run over the corpus."""
    judged = [(one, bool(find_secrets(one.text, path=one.path))) for one in corpus(seed=SEED, rounds=ROUNDS)]
    secrets = [hit for one, hit in judged if one.secret]
    twins = [hit for one, hit in judged if not one.secret]
    head = HEAD.format(
        pairs=len(secrets),
        twins=len(twins),
        forms=len({one.form for one, _ in judged}),
        found=sum(secrets),
        recall=sum(secrets) / len(secrets),
        wrong=sum(twins),
        false=sum(twins) / len(twins),
    )
    kinds = _table("By what it is", judged, lambda one: one.what.partition(":")[0] if one.secret else "")
    return head + kinds + _table("By kind of file", judged, lambda one: one.form) + _errors(judged) + TAIL


def _table(title: str, judged: list[tuple[Snippet, bool]], of: Callable[[Snippet], str]) -> str:
    """How many secrets were found, and how many twins were taken for one, by some property of theirs."""
    counted: Counter[tuple[str, bool, bool]] = Counter((of(one), one.secret, hit) for one, hit in judged)
    names = sorted({name for name, _, _ in counted})
    lines = [f"\n## {title}\n", "| | secrets found | twins taken for one |", "| --- | --- | --- |"]
    for name in names:
        cells = []
        for secret in (True, False):
            hits, all_ = (
                counted[name, secret, True],
                counted[name, secret, True] + counted[name, secret, False],
            )
            cells.append(f"{hits} of {all_}" if all_ else "")
        lines.append(f"| {name or 'benign twins'} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines) + "\n"


def _errors(judged: list[tuple[Snippet, bool]]) -> str:
    lines = ["\n## Each error of this run\n", "| file | what | error |", "| --- | --- | --- |"]
    for one, hit in judged:
        if hit is not one.secret:
            error = "not found" if one.secret else "taken for a secret"
            lines.append(f"| {one.form} | {one.what} | {error} |")
    return "\n".join(lines) + "\n"
