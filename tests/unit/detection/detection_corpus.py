"""A corpus of snippets: each secret beside a benign twin, in every kind of file that people configure."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from detection_values import Values


class Snippet(NamedTuple):
    form: str
    path: str
    text: str
    secret: bool
    what: str


PASSWORD_NAMES = [
    "DB_PASSWORD",
    "POSTGRES_PASSWORD",
    "MYSQL_ROOT_PASSWORD",
    "SMTP_PASS",
    "REDIS_PASSWORD",
    "admin_password",
    "dbPassword",
    "KEYSTORE_PASSWORD",
    "LDAP_BIND_PASSWORD",
    "RABBITMQ_DEFAULT_PASS",
    "passphrase",
    "PGPASSWORD",
    "ftp_passwd",
]
TOKEN_NAMES = [
    "API_TOKEN",
    "ACCESS_TOKEN",
    "auth_token",
    "SLACK_BOT_TOKEN",
    "refreshToken",
    "CLIENT_SECRET",
    "client_secret",
    "JWT_SECRET",
    "SESSION_SECRET",
    "webhook_secret",
    "NPM_TOKEN",
    "apiToken",
    "GITHUB_PAT",
    "bearer_token",
]
KEY_NAMES = [
    "API_KEY",
    "OPENAI_API_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "apiKey",
    "secretKey",
    "ENCRYPTION_KEY",
    "signing_key",
    "private_key",
    "STRIPE_KEY",
    "x-api-key",
    "DATADOG_API_KEY",
    "master_key",
    "SECRET_KEY",
]
PLAIN_NAMES = ["LOG_LEVEL", "REGION", "endpoint", "TARGET", "SERVICE_VALUE", "note", "upstream"]

REFERENCES = (
    "${DB_PASSWORD}",
    "$API_TOKEN",
    "${{ secrets.API_TOKEN }}",
    "{{ vault_db_password }}",
    "{{ .Values.token }}",
    "vault:secret/data/orders#password",
    "openbao:payments/creds/refunds",
    "op://prod/orders/password",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:orders-AbCdEf",
    "file:/run/secrets/db_password",
    "/run/secrets/db_password",
    "/var/run/secrets/tokens/orders",
    "secretref://orders/db",
    "env:API_TOKEN",
    "projects/orders/secrets/api-token/versions/3",
    "ref+vault://secret/orders#/token",
    "%(token)s",
    "%API_TOKEN%",
    "@Microsoft.KeyVault(SecretUri=https://acme.vault.azure.net/secrets/x)",
    "ENC[AES256_GCM,data:Tr7o1,iv:1,tag:2]",
    "!vault |",
    "<your-token>",
    "changeme",
    "CHANGE_ME",
    "your-api-key-here",
    "YOUR_API_KEY",
    "xxxxxxxxxxxxxxxx",
    "********",
    "...",
    "…",
    "REPLACE_WITH_TOKEN",
    "example-token",
    "placeholder",
    "none",
    "null",
    "true",
    "",
    "https://login.acme.example/oauth/token",
    "token.invalid",
    "redacted",
    "not-a-real-key",
    "dummy",
)

BENIGN_NAMES: tuple[tuple[str, Callable[[Values], str]], ...] = (
    ("token_url", lambda _: "https://login.acme.example/token"),
    ("TOKEN_TTL", lambda _: "3600"),
    ("max_tokens", lambda _: "4096"),
    ("password_min_length", lambda _: "12"),
    ("secret_name", lambda _: "orders-db"),
    ("secretName", lambda _: "orders-tls"),
    ("key_id", lambda v: v.uuid()),
    ("AWS_ACCESS_KEY_ID_REF", lambda _: "orders/access-key"),
    ("api_key_header", lambda _: "X-Api-Key"),
    ("public_key", lambda v: v.base64(44)),
    ("publicKey", lambda v: v.hex(64)),
    (
        "ssh_public_key",
        lambda v: "ssh-ed25519 " + "AAAAC3NzaC1lZDI1NTE5AAAAI" + v.text("abcdefABCDEF0123456789", 43),
    ),
    ("password_hash", lambda v: "$2b$12$" + v.text("abcdefghijkABCDEF./0123456789", 53)),
    ("token_type", lambda _: "Bearer"),
    ("auth_method", lambda _: "private_key_jwt"),
    ("credentials_file", lambda _: "/etc/orders/credentials.json"),
    ("GOOGLE_APPLICATION_CREDENTIALS", lambda _: "/var/run/gcp/credentials.json"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", lambda _: "/var/run/secrets/eks.amazonaws.com/serviceaccount/token"),
    ("image_digest", lambda v: "sha256:" + v.hex(64)),
    ("commit", lambda v: v.hex(40)),
    ("integrity", lambda v: "sha512-" + v.base64(64)),
    ("request_id", lambda v: v.uuid()),
    ("tenant_id", lambda v: v.uuid()),
    ("checksum", lambda v: v.hex(64)),
    ("etag", lambda v: v.hex(32)),
    ("spiffe_id", lambda _: "spiffe://acme.example/ns/orders/sa/orders"),
    ("role_arn", lambda _: "arn:aws:iam::123456789012:role/orders"),
    ("cache_key", lambda _: "orders:v2:list"),
    ("primary_key", lambda _: "order_id"),
    ("partition_key", lambda _: "customer"),
    ("sort_key", lambda _: "created_at"),
    ("keyboard", lambda _: "us-intl"),
    ("author", lambda _: "Orders team"),
    ("pass_rate", lambda _: "0.95"),
    ("tokenizer", lambda _: "cl100k_base"),
    ("pad_token", lambda _: "<pad>"),
    ("next_page_token", lambda v: v.base64(24)),
    ("jwks_uri", lambda _: "https://login.acme.example/.well-known/jwks.json"),
    ("database_url", lambda _: "postgres://db.internal:5432/orders"),
    ("database_url", lambda _: "postgres://app:${DB_PASSWORD}@db.internal/orders"),
    ("registry", lambda _: "https://user:<password>@registry.acme.example"),
    ("certificate_fingerprint", lambda v: ":".join(v.hex(2).upper() for _ in range(20))),
    ("session_timeout", lambda _: "30m"),
    ("secret_rotation_days", lambda _: "30"),
    ("encryption_algorithm", lambda _: "AES256-GCM"),
    ("private_key_path", lambda _: "/etc/orders/tls.key"),
    ("key", lambda _: "orders/archive/2026-11-20.json"),
    ("PASSWORD_POLICY", lambda _: "strong"),
)


def secrets_of(values: Values) -> tuple[str, str, str]:
    """A name, a secret for it, and what it is."""
    choose = values.random.choice
    makers: list[Callable[[], tuple[str, str, str]]] = [
        lambda: (choose(PASSWORD_NAMES), values.password(), "password"),
        lambda: (choose(PASSWORD_NAMES), values.password(), "password"),
        lambda: (choose(TOKEN_NAMES), values.opaque(), "opaque token"),
        lambda: (choose(KEY_NAMES), values.opaque(), "opaque key"),
        lambda: (choose([*TOKEN_NAMES, *KEY_NAMES]), values.token(), "provider token, named"),
        lambda: (choose(PLAIN_NAMES), values.token(), "provider token, unnamed"),
        lambda: ("DATABASE_URL", _url(values), "password in a URL"),
        lambda: (choose(TOKEN_NAMES), values.jwt(), "JWT"),
    ]
    return choose(makers)()


def _url(values: Values) -> str:
    scheme = values.random.choice(["postgres", "redis", "amqp", "mongodb+srv", "https", "mysql"])
    password = values.text("abcdefghijklmnopqrstuvwxyzABCDEF0123456789-_.~", 12)
    return f"{scheme}://orders:{password}@db.orders.internal/orders"


def benign_of(values: Values) -> tuple[str, str, str]:
    """A name and something that only looks like a secret."""
    if values.random.random() < 0.5:
        name = values.random.choice([*PASSWORD_NAMES, *TOKEN_NAMES, *KEY_NAMES])
        return name, values.random.choice(REFERENCES), "reference or placeholder"
    name, make = values.random.choice(BENIGN_NAMES)
    return name, make(values), f"benign {name}"


def _quote(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


FORMS: dict[str, tuple[str, Callable[[str, str], str]]] = {
    "env": ("deploy/.env", lambda n, v: f"# orders\nLOG_LEVEL=info\n{n.upper()}={v}\nPORT=8080\n"),
    "env-quoted": (".env.production", lambda n, v: f"export {n.upper()}={_quote(v)}\n"),
    "toml": (
        "config/production.toml",
        lambda n, v: f'[server]\nport = 8443\n\n[app]\n"{n}" = {_quote(v)}  # note\n',
    ),
    "yaml": ("values.yaml", lambda n, v: f"orders:\n  replicas: 2\n  {n}: {_quote(v)}\n  region: eu\n"),
    "yaml-bare": ("config.yml", lambda n, v: f"orders:\n  {n}: {v}\n  region: eu\n"),
    "json": (
        "settings.json",
        lambda n, v: json.dumps({"orders": {"replicas": 2, n: v, "region": "eu"}}, indent=2),
    ),
    "json-flat": ("settings.json", lambda n, v: json.dumps({"replicas": 2, n: v, "region": "eu"})),
    "ini": ("orders.ini", lambda n, v: f"[orders]\nregion = eu\n{n} = {v}\n"),
    "properties": ("application.properties", lambda n, v: f"orders.region=eu\norders.{n}={v}\n"),
    "compose": (
        "docker-compose.yml",
        lambda n, v: (
            f"services:\n  orders:\n    image: orders:1\n    environment:\n      {n.upper()}: {_quote(v)}\n"
        ),
    ),
    "compose-list": (
        "compose.yaml",
        lambda n, v: f"services:\n  orders:\n    environment:\n      - LOG=info\n      - {n.upper()}={v}\n",
    ),
    "kubernetes-env": (
        "deployment.yaml",
        lambda n, v: f"kind: Deployment\nspec:\n  env:\n    - name: {n.upper()}\n      value: {_quote(v)}\n",
    ),
    "kubernetes-secret": (
        "secret.yaml",
        lambda n, v: (
            f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: orders\nstringData:\n  {n}: {_quote(v)}\n"
        ),
    ),
    "kubernetes-data": (
        "secret.yaml",
        lambda n, v: f"apiVersion: v1\nkind: Secret\ndata:\n  {n}: {base64.b64encode(v.encode()).decode()}\n",
    ),
    "dockerfile": ("Dockerfile", lambda n, v: f"FROM python:3.13\nENV {n.upper()}={_quote(v)}\nRUN true\n"),
    "dockerfile-old": ("Dockerfile", lambda n, v: f"FROM python:3.13\nENV {n.upper()} {v}\nRUN true\n"),
    "workflow": (
        ".github/workflows/ci.yml",
        lambda n, v: f"jobs:\n  test:\n    env:\n      {n.upper()}: {v}\n    steps:\n      - run: make\n",
    ),
    "mcp-env": (
        ".mcp.json",
        lambda n, v: json.dumps(
            {"mcpServers": {"orders": {"command": "npx", "env": {n.upper(): v}}}}, indent=2
        ),
    ),
    "mcp-arguments": (
        "claude_desktop_config.json",
        lambda n, v: json.dumps(
            {
                "mcpServers": {
                    "orders": {"command": "orders", "args": [f"--{n.lower().replace('_', '-')}", v]}
                }
            },
            indent=2,
        ),
    ),
    "shell": ("deploy.sh", lambda n, v: f"#!/bin/sh\nset -eu\nexport {n.upper()}='{v}'\n./run\n"),
    "shell-option": (
        "deploy.sh",
        lambda n, v: f"orders serve --{n.lower().replace('_', '-')}={_quote(v)} --port 80\n",
    ),
    "python": ("orders/client.py", lambda n, v: f'"""A client."""\n\n{n.replace("-", "_")} = {_quote(v)}\n'),
    "python-argument": (
        "orders/client.py",
        lambda n, v: f"def connect():\n    return Client(host='db', {n.replace('-', '_')}={_quote(v)})\n",
    ),
    "python-environ": (
        "tests/conftest.py",
        lambda n, v: f'import os\nos.environ["{n.upper()}"] = {_quote(v)}\n',
    ),
    "notebook": (
        "explore.ipynb",
        lambda n, v: json.dumps(
            {"cells": [{"source": ["import os\n", f"{n.replace('-', '_')} = {_quote(v)}\n"]}]}
        ),
    ),
    "typescript": (
        "src/client.ts",
        lambda n, v: f"export const client = new Client({{ {n.replace('-', '_')}: {_quote(v)} }});\n",
    ),
    "terraform": ("main.tf", lambda n, v: f'resource "x" "y" {{\n  {n} = {_quote(v)}\n}}\n'),
    "markdown": (
        "README.md",
        lambda n, v: f"# Orders\n\nBefore you start:\n\n```\nexport {n.upper()}={v}\n```\n",
    ),
    "markdown-inline": ("NOTES.md", lambda n, v: f"Set `{n.upper()}` = `{v}` and call us.\n"),
}


def corpus(seed: int, rounds: int) -> Iterator[Snippet]:
    """Snippets in pairs, each form `rounds` times."""
    values = Values(seed)
    for _ in range(rounds):
        for form, (path, render) in FORMS.items():
            name, value, what = secrets_of(values)
            yield Snippet(form, path, render(name, value), secret=True, what=f"{what}: {name}")
            name, value, what = benign_of(values)
            yield Snippet(form, path, render(name, value), secret=False, what=f"{what}: {name}")
