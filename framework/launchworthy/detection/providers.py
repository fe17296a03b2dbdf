"""What do the tokens of known providers look like? One row each: kind, how it begins, how it goes on.

A row is found by its beginning (a plain search, so a hundred rows cost little) and then matched as a whole;
the pattern is compiled when its beginning is met for the first time. The formats are those that the providers
publish or that their tokens show; to add one, add a row and a case in the tests.
"""

import re
from functools import cache
from typing import NamedTuple


class Provider(NamedTuple):
    """A token format.

    Attributes:
        kind: kebab-case, as it is reported.
        begins: the literal beginning.
        goes_on: a pattern for the rest.
        checksum: whether its end is a CRC-32 of the rest in base 62.
    """

    kind: str
    begins: str
    goes_on: str
    checksum: bool = False


_WORD = r"[A-Za-z0-9]"
_URL64 = r"[A-Za-z0-9_-]"
_HEX = r"[a-f0-9]"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

PROVIDERS: tuple[Provider, ...] = (
    # clouds
    Provider("aws-access-key", "AKIA", r"[A-Z2-7]{16}"),
    Provider("aws-access-key", "ASIA", r"[A-Z2-7]{16}"),
    Provider("aws-access-key", "ABIA", r"[A-Z2-7]{16}"),
    Provider("aws-access-key", "ACCA", r"[A-Z2-7]{16}"),
    Provider("aws-bedrock-key", "ABSKQmVkcm9ja", r"[A-Za-z0-9+/=]{100,}"),
    Provider("alibaba-access-key", "LTAI", _WORD + r"{12,20}"),
    Provider("google-api-key", "AIza", _URL64 + r"{35}"),
    Provider("google-oauth-secret", "GOCSPX-", _URL64 + r"{28}"),
    Provider("google-oauth-token", "ya29.", _URL64 + r"{30,}"),
    Provider("google-refresh-token", "1//0", _URL64 + r"{40,}"),
    Provider("digitalocean-token", "dop_v1_", _HEX + r"{64}"),
    Provider("digitalocean-token", "doo_v1_", _HEX + r"{64}"),
    Provider("digitalocean-token", "dor_v1_", _HEX + r"{64}"),
    Provider("heroku-key", "HRKU-", _URL64 + r"{36,}"),
    Provider("fly-token", "fm2_", r"[A-Za-z0-9+/=]{60,}"),
    Provider("fly-token", "fo1_", _URL64 + r"{43}"),
    Provider("netlify-token", "nfp_", _WORD + r"{36}"),
    Provider("render-key", "rnd_", _WORD + r"{32,}"),
    Provider("supabase-token", "sbp_", r"(?:v0_)?" + _HEX + r"{40}"),
    Provider("supabase-secret-key", "sb_secret_", _URL64 + r"{22,}"),
    Provider("neon-key", "napi_", _WORD + r"{48,}"),
    Provider("planetscale-token", "pscale_", r"(?:tkn|pw|oauth)_[A-Za-z0-9_.=-]{32,64}"),
    Provider("databricks-token", "dapi", _HEX + r"{32}(?:-\d)?"),
    Provider("scaleway-key", "SCWSECRET", _URL64 + r"{20,}"),
    Provider("pulumi-token", "pul-", _HEX + r"{40}"),
    Provider("vault-token", "hvs.", _URL64 + r"{24,}"),
    Provider("vault-token", "hvb.", _URL64 + r"{24,}"),
    Provider("vault-token", "hvr.", _URL64 + r"{24,}"),
    Provider("terraform-token", ".atlasv1.", r"[A-Za-z0-9_=-]{60,70}"),
    Provider("doppler-token", "dp.", r"(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]+\.)?" + _WORD + r"{40,44}"),
    Provider("1password-token", "ops_eyJ", r"[A-Za-z0-9+/=]{100,}"),
    Provider(
        "1password-key", "A3-", r"[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}"
    ),
    Provider("age-key", "AGE-SECRET-KEY-1", r"[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    Provider("openshift-token", "sha256~", _URL64 + r"{43}"),
    Provider(
        "tailscale-key", "tskey-", r"(?:auth|api|client|scim|webhook)-" + _WORD + r"{6,}-" + _WORD + r"{16,}"
    ),
    Provider("dynatrace-token", "dt0c01.", r"[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    Provider("cloudflare-origin-key", "v1.0-", _HEX + r"{24}-" + _HEX + r"{146}"),
    # code and packages
    Provider("github-token", "ghp_", _WORD + r"{36}", checksum=True),
    Provider("github-token", "gho_", _WORD + r"{36}", checksum=True),
    Provider("github-token", "ghu_", _WORD + r"{36}", checksum=True),
    Provider("github-token", "ghs_", _WORD + r"{36}", checksum=True),
    Provider("github-token", "ghr_", _WORD + r"{36,76}", checksum=True),
    Provider("github-token", "github_pat_", r"[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    Provider("gitlab-token", "glpat-", r"[A-Za-z0-9_.-]{20,64}"),
    Provider("gitlab-token", "gldt-", _URL64 + r"{20,}"),
    Provider("gitlab-token", "glrt-", r"[A-Za-z0-9_.-]{20,64}"),
    Provider("gitlab-token", "glcbt-", _URL64 + r"{20,}"),
    Provider("gitlab-token", "glptt-", _HEX + r"{40}"),
    Provider("gitlab-token", "glft-", _URL64 + r"{20,}"),
    Provider("gitlab-token", "glimt-", _URL64 + r"{20,}"),
    Provider("gitlab-token", "glagent-", _URL64 + r"{40,}"),
    Provider("gitlab-token", "gloas-", _HEX + r"{64}"),
    Provider("gitlab-token", "GR1348941", _URL64 + r"{20}"),
    Provider("bitbucket-token", "ATBB", _WORD + r"{24,}"),
    Provider("atlassian-token", "ATATT3", r"[A-Za-z0-9_=-]{100,}"),
    Provider("atlassian-token", "ATCTT3", r"[A-Za-z0-9_=-]{100,}"),
    Provider("npm-token", "npm_", _WORD + r"{36}", checksum=True),
    Provider("pypi-token", "pypi-AgE", _URL64 + r"{50,}"),
    Provider("rubygems-key", "rubygems_", _HEX + r"{48}"),
    Provider("crates-token", "cio", _WORD + r"{32}"),
    Provider("nuget-key", "oy2", r"[a-z0-9]{43}"),
    Provider("clojars-token", "CLOJARS_", r"[a-f0-9]{60}"),
    Provider("docker-token", "dckr_", r"(?:pat|oat)_" + _URL64 + r"{24,}"),
    Provider("artifactory-key", "AKCp", _WORD + r"{60,}"),
    Provider("artifactory-token", "cmVmd", _WORD + r"{59}"),
    Provider("sonar-token", "sq", r"[upa]_" + _HEX + r"{40}"),
    Provider("circleci-token", "CCIPAT_", _WORD + r"{22}_" + _HEX + r"{40}"),
    Provider("buildkite-token", "bkua_", _HEX + r"{40}"),
    Provider("sourcegraph-token", "sgp_", r"(?:" + _HEX + r"{16}_|local_)?" + _HEX + r"{40}"),
    Provider("postman-key", "PMAK-", _HEX + r"{24}-" + _HEX + r"{34}"),
    Provider("prefect-key", "pnu_", _WORD + r"{36}"),
    Provider("octopus-key", "API-", r"[A-Z0-9]{26}"),
    # models
    Provider("anthropic-key", "sk-ant-", _URL64 + r"{24,}"),
    Provider("openai-key", "sk-proj-", _URL64 + r"{40,}"),
    Provider("openai-key", "sk-svcacct-", _URL64 + r"{40,}"),
    Provider("openai-key", "sk-admin-", _URL64 + r"{40,}"),
    Provider("openrouter-key", "sk-or-v1-", _HEX + r"{64}"),
    Provider("langfuse-key", "sk-lf-", _UUID),
    Provider("model-api-key", "sk-", _WORD + r"{32,}"),
    Provider("groq-key", "gsk_", _WORD + r"{40,}"),
    Provider("xai-key", "xai-", _WORD + r"{60,}"),
    Provider("perplexity-key", "pplx-", _WORD + r"{40,}"),
    Provider("huggingface-token", "hf_", r"[A-Za-z]{34}"),
    Provider("huggingface-token", "hf_", _WORD + r"{34}"),
    Provider("huggingface-token", "api_org_", r"[A-Za-z]{34}"),
    Provider("replicate-token", "r8_", _WORD + r"{37}"),
    Provider("nvidia-key", "nvapi-", _URL64 + r"{60,}"),
    Provider("together-key", "tgp_v1_", _URL64 + r"{40,}"),
    Provider("cerebras-key", "csk-", r"[a-z0-9]{40,}"),
    Provider("langsmith-key", "lsv2_", r"(?:pt|sk)_" + _HEX + r"{32}_" + _HEX + r"{10}"),
    Provider("pinecone-key", "pcsk_", _URL64 + r"{50,}"),
    Provider("tavily-key", "tvly-", r"(?:dev-|prod-)?" + _WORD + r"{28,}"),
    Provider("firecrawl-key", "fc-", _HEX + r"{32}"),
    Provider("jina-key", "jina_", _URL64 + r"{50,}"),
    Provider("brave-key", "BSA", _URL64 + r"{27,28}"),
    Provider("e2b-key", "e2b_", _HEX + r"{40}"),
    # messages
    Provider("slack-token", "xox", r"[abeoprs]-(?:\d-)?[A-Za-z0-9-]{20,}"),
    Provider("slack-token", "xapp-", r"\d-[A-Z0-9]+-\d+-[a-f0-9]{32,}"),
    Provider(
        "slack-webhook",
        "hooks.slack.com/",
        r"(?:services|workflows|triggers)/[A-Z0-9]{8,}/[A-Z0-9]{8,}/[A-Za-z0-9]{20,}",
    ),
    Provider("discord-webhook", "/api/webhooks/", r"\d{17,20}/" + _URL64 + r"{60,}"),
    Provider(
        "teams-webhook",
        ".webhook.office.com/webhookb2/",
        r"[0-9a-f-]{36}@[0-9a-f-]{36}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f-]{36}",
    ),
    Provider("sendgrid-key", "SG.", _URL64 + r"{22}\." + _URL64 + r"{43}"),
    Provider("mailgun-key", "key-", _HEX + r"{32}"),
    Provider("brevo-key", "xkeysib-", _HEX + r"{64}-" + _WORD + r"{16}"),
    Provider("resend-key", "re_", _WORD + r"{8}_" + _WORD + r"{20,}"),
    # work
    Provider("linear-key", "lin_", r"(?:api|oauth)_" + _WORD + r"{40,64}"),
    Provider("notion-token", "ntn_", r"\d{11}" + _WORD + r"{35}"),
    Provider("notion-token", "secret_", _WORD + r"{43}"),
    Provider("figma-token", "figd_", _URL64 + r"{38,}"),
    Provider("airtable-token", "pat", _WORD + r"{14}\." + _HEX + r"{64}"),
    Provider("hubspot-token", "pat-", r"(?:na|eu|ap)\d-" + _UUID),
    Provider("typeform-token", "tfp_", r"[A-Za-z0-9_.=-]{50,}"),
    Provider("contentful-token", "CFPAT-", _URL64 + r"{43}"),
    Provider("readme-key", "rdme_", r"[a-z0-9]{70}"),
    Provider("mapbox-token", "sk.eyJ", _URL64 + r"{40,}\." + _URL64 + r"{20,}"),
    Provider("frameio-token", "fio-u-", r"[A-Za-z0-9_=-]{64}"),
    # money
    Provider("stripe-key", "sk_live_", _WORD + r"{16,}"),
    Provider("stripe-key", "sk_test_", _WORD + r"{16,}"),
    Provider("stripe-key", "rk_live_", _WORD + r"{16,}"),
    Provider("stripe-key", "rk_test_", _WORD + r"{16,}"),
    Provider("webhook-signing-secret", "whsec_", r"[A-Za-z0-9+/=]{24,}"),
    Provider("square-token", "sq0", r"(?:atp|csp)-" + _URL64 + r"{22,43}"),
    Provider("square-token", "EAAAE", r"[A-Za-z0-9_-]{55,}"),
    Provider("paypal-token", "access_token$production$", r"[a-z0-9]{16}\$" + _HEX + r"{32}"),
    Provider("shopify-token", "shp", r"(?:at|ca|pa|ss|ua)_" + _HEX + r"{32}"),
    Provider("plaid-token", "access-", r"(?:sandbox|development|production)-" + _UUID),
    Provider("flutterwave-key", "FLWSECK", r"(?:_TEST)?-[A-Za-z0-9]{12,}(?:-X)?"),
    Provider("easypost-key", "EZAK", _WORD + r"{54}"),
    Provider("shippo-token", "shippo_", r"(?:live|test)_" + _HEX + r"{40}"),
    Provider("duffel-token", "duffel_", r"(?:live|test)_[A-Za-z0-9_=-]{43}"),
    Provider("facebook-token", "EAAC", _WORD + r"{80,}"),
    # watching
    Provider("newrelic-key", "NRAK-", r"[A-Z0-9]{27}"),
    Provider("newrelic-key", "NRII-", _URL64 + r"{32}"),
    Provider("grafana-token", "glsa_", _WORD + r"{32}_" + _HEX + r"{8}"),
    Provider("grafana-token", "glc_", r"[A-Za-z0-9+/=]{32,}"),
    Provider("sentry-token", "sntrys_", r"[A-Za-z0-9+/=_-]{60,}"),
    Provider("sentry-token", "sntryu_", _HEX + r"{64}"),
    Provider("honeycomb-key", "hcaik_", r"[a-z0-9]{50,}"),
    Provider("launchdarkly-key", "sdk-", _UUID),
    Provider("launchdarkly-key", "api-", _UUID),
)

_LONGEST = 600
_INSIDE_A_TOKEN = re.compile(r"[A-Za-z0-9_]")


@cache
def pattern(provider: Provider) -> re.Pattern[str]:
    """The whole format of a provider's token, not followed by more of it."""
    bounded = provider.goes_on.replace(",}", f",{_LONGEST}}}")
    return re.compile(re.escape(provider.begins) + bounded + r"(?![A-Za-z0-9_])")


def stands_alone(text: str, start: int, provider: Provider) -> bool:
    """Whether a token begins here and is not the middle of a longer word."""
    if start == 0 or not provider.begins[0].isalnum():
        return True
    before = text[start - 1]
    # `\\n` of an escaped string ends the word before it.
    return _INSIDE_A_TOKEN.match(before) is None or text[max(0, start - 2) : start] in ("\\n", "\\t", "\\r")
