"""Who may sign: what a trust policy may say, and what is refused instead of being read and ignored."""

import pytest
from promoters import DOMAIN, PROMOTER, RECORD_ID, TRUST, Authority

from launchworthy.attestation import Approvers, ReleasedJob, TrustPolicy, parse_trust_policy, root_files
from launchworthy.attestation.version import parse_version
from launchworthy.vocabulary import Environment, ProblemError

APPROVERS = 'approvers = "released-job"\n'
TABLE = f'[production]\npromoters = ["{PROMOTER}"]\n{APPROVERS}stamp = "none"\ncatalogue = "0.1"\n'
PEOPLE = (
    'approvers = { issuer = "https://login.acme.example", client = "approve", groups = ["payments-leads"] }\n'
)
PATH = PROMOTER.removeprefix(f"spiffe://{DOMAIN}")
ROOTS = f'[roots]\n"{DOMAIN}" = ["acme.pem"]\n'


@pytest.fixture(scope="module")
def pem() -> dict[str, bytes]:
    return {"acme.pem": Authority().pem, "dev.pem": Authority(domain="dev.invalid").pem}


def parse(text: str, pem: dict[str, bytes]) -> TrustPolicy:
    return parse_trust_policy(text.encode(), pem, where="/etc/launchworthy/trust.toml")


def reasons(text: str, pem: dict[str, bytes]) -> list[str]:
    with pytest.raises(ProblemError) as caught:
        parse(text, pem)
    assert {problem.where for problem in caught.value.problems} == {"/etc/launchworthy/trust.toml"}
    return [problem.reason for problem in caught.value.problems]


def test_a_policy_names_promoters_roots_floors_and_what_is_revoked(pem: dict[str, bytes]) -> None:
    revoked = f'[revoked]\nrecords = ["{RECORD_ID}"]\nsigners = ["{PROMOTER}", "{"a" * 64}"]\n'
    policy = parse(TRUST + revoked, pem)
    production = policy.of(Environment.PRODUCTION)
    assert production.promoters == {PROMOTER}
    assert (production.catalogue, production.framework) == ((0, 1, 0), (0, 1, 0))
    assert policy.of(Environment.STAGING).framework is None
    assert set(policy.roots) == {DOMAIN, "dev.invalid"}
    assert policy.revoked_records == {RECORD_ID}
    assert policy.revoked_signers == {PROMOTER, "a" * 64}
    assert root_files(TRUST.encode(), where="trust.toml") == ("acme.pem", "dev.pem")


def test_the_digest_covers_the_file_and_its_roots(pem: dict[str, bytes]) -> None:
    before = parse(TRUST, pem).sha256
    assert parse(TRUST, pem).sha256 == before
    assert parse(TRUST + "\n", pem).sha256 != before
    assert parse(TRUST, {**pem, "acme.pem": Authority().pem}).sha256 != before


def test_an_environment_without_a_table_trusts_nobody(pem: dict[str, bytes]) -> None:
    policy = parse(TABLE + ROOTS, pem)
    assert policy.of(Environment.PRODUCTION)
    for environment in (Environment.STAGING, Environment.REHEARSAL, Environment.DEVELOPMENT):
        with pytest.raises(ProblemError) as caught:
            policy.of(environment)
        assert caught.value.problems[0].reason == "nobody-trusted"


def test_production_requires_stamps_unless_the_platform_says_otherwise(pem: dict[str, bytes]) -> None:
    authority = 'time_stamp_authorities = [{ url = "https://stamp.acme.example", roots = ["stamps.pem"] }]\n'
    files = {**pem, "stamps.pem": Authority().pem}
    silent = TABLE.replace('stamp = "none"\n', authority)
    for text, required in (
        (TABLE, False),
        (silent, True),
        (silent + 'stamp = "required"\n', True),
        (silent + 'stamp = "none"\n', False),
        (silent.replace("production", "staging"), False),
        (silent.replace("production", "staging") + 'stamp = "required"\n', True),
    ):
        [table] = parse(text + ROOTS, files).environments.values()
        assert table.stamp_required is required, text
        assert [each.url for each in table.stamp_authorities] == ["https://stamp.acme.example"] * (
            "time_stamp" in text
        )
    assert root_files((silent + ROOTS).encode(), where="trust.toml") == ("acme.pem", "stamps.pem")


@pytest.mark.parametrize(
    "authority",
    [
        "[]",
        '[{ url = "https://stamp.acme.example", roots = [] }]',
        '[{ url = "https://stamp.acme.example" }]',
        '[{ roots = ["acme.pem"] }]',
        '[{ url = "ftp://stamp.acme.example", roots = ["acme.pem"] }]',
        '[{ url = "http://127.0.0.1:99", roots = ["acme.pem"] }]',
        '[{ url = "https://stamp.invalid", roots = ["acme.pem"] }]',
        '[{ url = "https://a:b@stamp.acme.example", roots = ["acme.pem"] }]',
        '[{ url = "https://stamp.acme.example", roots = ["../acme.pem"] }]',
        '[{ url = "https://stamp.acme.example", roots = ["acme.pem"], more = 1 }]',
        '["https://stamp.acme.example"]',
    ],
)
def test_an_authority_of_another_world_or_form_is_refused(authority: str, pem: dict[str, bytes]) -> None:
    text = TABLE.replace('stamp = "none"', f"time_stamp_authorities = {authority}")
    assert set(reasons(text + ROOTS, pem)) == {"trust-policy-malformed"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        ROOTS,
        "not toml",
        "\x00",
        TABLE + ROOTS + "[more]\n",
        TABLE + "more = 1\n" + ROOTS,
        TABLE.replace(APPROVERS, "") + ROOTS,
        TABLE.replace(APPROVERS, "approvers = []\n") + ROOTS,
        TABLE.replace(APPROVERS, 'approvers = "nobody"\n') + ROOTS,
        TABLE.replace(APPROVERS, PEOPLE.replace('groups = ["payments-leads"]', "groups = []")) + ROOTS,
        TABLE.replace(APPROVERS, PEOPLE.replace('client = "approve", ', "")) + ROOTS,
        TABLE.replace(APPROVERS, PEOPLE.replace("https:", "http:")) + ROOTS,
        TABLE.replace(APPROVERS, PEOPLE.replace("login.acme.example", "login.invalid")) + ROOTS,
        TABLE.replace(APPROVERS, PEOPLE.replace("login.acme.example", "a:b@login.acme.example")) + ROOTS,
        TABLE.replace(APPROVERS, PEOPLE.replace(" }", ', keys = ["../login.json"] }')) + ROOTS,
        TABLE.replace("production", "development") + ROOTS,
        TABLE.replace(f'"{PROMOTER}"', "") + ROOTS,
        TABLE.replace(PROMOTER, "acme") + ROOTS,
        TABLE.replace(PROMOTER, f"{PROMOTER}/*") + ROOTS,
        TABLE.replace(PROMOTER, f"spiffe://{DOMAIN}") + ROOTS,
        TABLE.replace('"none"', "false") + ROOTS,
        TABLE.replace('"none"', '"optional"') + ROOTS,
        TABLE.replace('stamp = "none"\n', "") + ROOTS,
        TABLE.replace('catalogue = "0.1"\n', "") + ROOTS,
        TABLE.replace('"0.1"', '"latest"') + ROOTS,
        TABLE.replace('"0.1"', "0.1") + ROOTS,
        TABLE + 'framework = "0.1.0rc1"\n' + ROOTS,
        TABLE + "framework = 2026-11-20\n" + ROOTS,
        TABLE + ROOTS.replace('["acme.pem"]', "[]"),
        TABLE + ROOTS.replace('["acme.pem"]', '"acme.pem"'),
        TABLE + ROOTS.replace("acme.pem", "../acme.pem"),
        TABLE + ROOTS.replace("acme.pem", "/etc/acme.pem"),
        TABLE + ROOTS.replace("acme.pem", "acme.key"),
        TABLE + ROOTS + '[revoked]\nrecords = ["1"]\n',
        TABLE + ROOTS + '[revoked]\nsigners = ["everybody"]\n',
        TABLE + ROOTS + f'[revoked]\nsigners = ["spiffe://{DOMAIN}{PATH.upper()}"]\n',
        TABLE + ROOTS + "[revoked]\nsigner = []\n",
    ],
)
def test_anything_else_is_malformed(text: str, pem: dict[str, bytes]) -> None:
    assert parse(TABLE + ROOTS, pem)
    assert set(reasons(text, pem)) == {"trust-policy-malformed"}


def test_a_promoter_needs_a_root_of_its_own_trust_domain(pem: dict[str, bytes]) -> None:
    assert reasons(TABLE + '[roots]\n"other.example" = ["acme.pem"]\n', pem) == ["trust-policy-without-root"]
    assert reasons(TABLE, pem) == ["trust-policy-without-root"]


def test_the_two_worlds_never_mix(pem: dict[str, bytes]) -> None:
    simulated = "spiffe://dev.invalid/promoter"
    roots = ROOTS + '"dev.invalid" = ["dev.pem"]\n'
    rehearsal = TABLE.replace("production", "rehearsal")
    staging = TABLE.replace("production", "staging")
    assert parse(rehearsal.replace(PROMOTER, simulated) + roots, pem)
    for text in (
        TABLE.replace(PROMOTER, simulated),
        staging.replace(PROMOTER, simulated),
        TABLE.replace(f'"{PROMOTER}"', f'"{PROMOTER}", "{simulated}"'),
        rehearsal,
    ):
        assert reasons(text + roots, pem) == ["trust-policy-mixes-worlds"]


def test_a_root_is_a_certificate_of_an_authority(pem: dict[str, bytes], acme: Authority) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    leaf = acme.leaf(ec.generate_private_key(ec.SECP256R1()), PROMOTER).public_bytes(Encoding.PEM)
    assert len(parse(TABLE + ROOTS, {"acme.pem": pem["acme.pem"] * 2}).roots[DOMAIN]) == 2
    for content in (b"", b"nothing", leaf, pem["acme.pem"] + leaf, pem["acme.pem"].replace(b"M", b"N")):
        assert reasons(TABLE + ROOTS, {"acme.pem": content}) == ["trust-policy-malformed"]


def test_every_mistake_is_named_at_once(pem: dict[str, bytes]) -> None:
    text = TABLE.replace(f'"{PROMOTER}"', '"x", "spiffe://y.example/z"') + ROOTS
    assert reasons(text, pem) == ["trust-policy-malformed", "trust-policy-without-root"]
    several = TABLE.replace('"0.1"', "1").replace('"none"', "1") + ROOTS
    assert reasons(several, pem) == ["trust-policy-malformed", "trust-policy-malformed"]


@pytest.mark.parametrize(
    ("text", "version"), [("0.1", (0, 1, 0)), ("0.1.0", (0, 1, 0)), ("10.20.30", (10, 20, 30))]
)
def test_a_version_is_three_numbers(text: str, version: tuple[int, int, int]) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    "text", ["", "1", "1.2.3.4", "1.2rc1", "v1.2", "1.2\n", "1.-2", "1.2.", "\u0661.\u0662", "1.100000"]
)
def test_anything_else_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match=r"X\.Y"):
        parse_version(text)


def test_people_approve_by_their_sign_in_or_a_job_is_released(pem: dict[str, bytes]) -> None:
    by_job = parse(TABLE + ROOTS, pem).of(Environment.PRODUCTION).approvers
    assert by_job is ReleasedJob.RELEASED_JOB
    pinned = PEOPLE.replace(" }", ', claim = "roles", keys = ["login.json"] }')
    text = TABLE.replace(APPROVERS, pinned) + ROOTS
    assert root_files(text.encode(), where="trust.toml") == ("acme.pem", "login.json")
    people = parse(text, {**pem, "login.json": b'{"keys": []}'}).of(Environment.PRODUCTION).approvers
    assert people == Approvers(
        issuer="https://login.acme.example",
        client="approve",
        groups=frozenset({"payments-leads"}),
        claim="roles",
        key_sets=(b'{"keys": []}',),
    )


def test_only_production_must_name_approvers(pem: dict[str, bytes]) -> None:
    staging = TABLE.replace(APPROVERS, "").replace("[production]", "[staging]")
    assert parse(staging + ROOTS, pem).of(Environment.STAGING).approvers is None
