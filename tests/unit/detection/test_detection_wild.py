"""Files as others write them: what a second generator, made without looking at the first, showed missed.

`§` stands for the value: a chosen password or a generated token, made when the test runs.
"""

import base64
from collections.abc import Callable, Iterator

import pytest
from detection_values import ALNUM, Values

from launchworthy.detection import find_secrets

Made = Callable[[Values], str]
KEYBOARD = "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)"


def chosen(values: Values) -> str:
    return f"{values.random.choice(['Harbour', 'Kestrel', 'Lantern'])}{values.random.randrange(100, 9999)}x"


def random(values: Values) -> str:
    return values.text(ALNUM, 15) + "7"


def issued(values: Values) -> str:
    return values.random.choice([values.hex(40), values.text(ALNUM, 31) + "3"])


def drawn(values: Values) -> str:
    return values.text(KEYBOARD, 48) + "*7"


def in_a_file(values: Values) -> str:
    return base64.b64encode(f"[db]\npassword = {random(values)}\n".encode()).decode()


WILD: tuple[tuple[str, str, Made, str], ...] = (
    (
        "client.py",
        'connect(host="db", user="orders", password="§")\n',
        random,
        'connect(host="db", password=pw)\n',
    ),
    ("client.py", 'get(url, auth=("orders", "§"))\n', chosen, "get(url, auth=(user, password))\n"),
    ("mail.py", 'server.login("ci@acme.example", "§")\n', chosen, "server.login(user, password)\n"),
    (
        "Db.java",
        'getConnection("jdbc:x:@db", "orders", "§");\n',
        chosen,
        "getConnection(url, user, password);\n",
    ),
    ("Mail.cs", 'new NetworkCredential("orders", "§");\n', chosen, "new NetworkCredential(user, word);\n"),
    (
        "main.go",
        'sql.Open("mysql", "orders:§@tcp(db:3306)/x")\n',
        random,
        'sql.Open("mysql", os.Getenv("DSN"))\n',
    ),
    ("lib.rs", 'const API_KEY: &str = "§";\n', issued, 'const API_KEY: &str = "x-api-key";\n'),
    ("main.bicep", "param adminPassword string = '§'\n", chosen, "param adminPassword string = ''\n"),
    (
        "build.gradle",
        "credentials { username 'ci'; password '§' }\n",
        chosen,
        "credentials { password nexus }\n",
    ),
    ("settings.py", 'SECRET_KEY = "§"\n', drawn, 'SECRET_KEY = r"^[A-Za-z0-9_-]{20,40}(?:=|%3D){0,2}$"\n'),
    ("users.sql", "CREATE USER o IDENTIFIED BY '§';\n", chosen, "CREATE USER o IDENTIFIED BY '${ORDERS}';\n"),
    ("users.sql", "ALTER ROLE o WITH PASSWORD '§';\n", chosen, "ALTER ROLE o WITH PASSWORD '<secret>';\n"),
    ("deploy.sh", "sqlplus orders/§@ORDERS @x.sql\n", random, "sqlplus /@ORDERS @x.sql\n"),
    (
        "deploy.sh",
        "ldapsearch -x -D cn=o -w § -b dc=x\n",
        random,
        'ldapsearch -x -D cn=o -w "$LDAP" -b dc=x\n',
    ),
    ("deploy.sh", "htpasswd -bc /etc/nginx/pw ops §\n", random, 'htpasswd -bc /etc/nginx/pw ops "$PW"\n'),
    ("deploy.sh", "keytool -keystore ks.jks -storepass § -x\n", random, 'keytool -storepass "$KS" -x\n'),
    ("deploy.sh", 'echo "root:§" | chpasswd\n', random, 'echo "root:$PW" | chpasswd\n'),
    (
        "user-data",
        "chpasswd:\n  list: |\n    root:§\n  expire: false\n",
        random,
        "chpasswd:\n  expire: false\n",
    ),
    (
        "nginx.conf",
        '  proxy_set_header X-Api-Key "§";\n',
        issued,
        '  proxy_set_header X-Api-Key "$http_x_api_key";\n',
    ),
    ("ldap.conf", "binddn cn=o\nbindpw §\n", random, "binddn cn=o\nbindpw_file /run/secrets/ldap\n"),
    ("haproxy.cfg", "  user admin insecure-password §\n", random, "  user admin password $5$abc$Yx0dQ8sG\n"),
    ("spark-defaults.conf", "spark.s3a.secret.key §\n", issued, "spark.s3a.secret.key.provider org.acme.P\n"),
    ("wifi.conf", '  psk="§"\n', chosen, '  psk=""\n'),
    ("ipsec.conf", ': PSK "§"\n', chosen, ": RSA server.key\n"),
    ("pgbouncer/userlist.txt", '"orders" "§"\n', chosen, '"orders" "md5' + "0123456789abcdef" * 2 + '"\n'),
    (
        "template.yaml",
        "  DbPassword:\n    Type: String\n    Default: §\n",
        random,
        "  DbPassword:\n    Type: String\n    NoEcho: true\n",
    ),
    (
        "parameters.json",
        '{"adminPassword": {"value": "§"}, "size": {"value": "B2"}}\n',
        chosen,
        '{"adminPassword": {"reference": {"secretName": "x"}}, "size": {"value": "B2"}}\n',
    ),
    (
        "pulumi.yaml",
        "config:\n  orders:dbPassword: §\n",
        random,
        "config:\n  orders:dbPassword:\n    secure: AAA=\n",
    ),
    (
        "x.properties",
        "url=jdbc:x://db/o?user=o&password=§&ssl=true\n",
        random,
        "url=jdbc:x://db/o?user=o&password=${P}\n",
    ),
    ("sonar.properties", "sonar.login=§\n", lambda values: values.hex(40), "sonar.login=admin\n"),
    (
        "core-site.xml",
        "<property><name>fs.secret.key</name><value>§</value></property>\n",
        issued,
        "<property><name>fs.secret.key</name><value>${env.S3}</value></property>\n",
    ),
    (
        "cfg.xml",
        '<property name="x.password">§</property>\n',
        random,
        '<property name="x.password">@x.pw@</property>\n',
    ),
    ("pom.xml", "<argument>-Dpassword=§</argument>\n", random, "<argument>-Dpassword=${pw}</argument>\n"),
    (
        "secret.yml",
        "apiVersion: v1\nkind: Secret\ndata:\n  config.ini: §\n",
        in_a_file,
        "apiVersion: v1\nkind: Secret\ndata:\n  config.ini: W2RiXQpob3N0ID0gZGIK\n",
    ),
    ("README.md", "Sign in as `admin` with password `§`.\n", chosen, "Sign in with password `<yours>`.\n"),
    ("prod.toml", 'password = """\n§"""\n', random, 'password = """\n${PW}"""\n'),
    (".vscode/settings.json", '{"password": "!§"}\n', random, '{"password": "!Ref DbPassword"}\n'),
)
REFERENCES = (
    ("compose.yml", "command: redis-server --requirepass $$REDIS_PW\n"),
    ("grafana.ini", "admin_password = $__file{/run/secrets/grafana}\n"),
    ("clients.conf", "secret = $ENV{RADIUS}\n"),
    ("telegraf.conf", 'token = "@{store:token}"\n'),
    ("settings.xml", "<password>{COQLCE6DU6GtcS5P=}</password>\n"),
    ("parameters.yml", "database_password: '%env(DB_PW)%'\n"),
    ("muttrc", 'set imap_pass = "`pass mail`"\n'),
    (".env", "APP_KEY=base64:\n"),
    ("said.json", '{"diff": "+state.kind = 1\\n+state.password = null\\n+state.user = null\\n"}\n'),
    ("services", "kpasswd\t\t464/tcp\n"),
    ("pool.py", '# pass "is_debug=True" to the pool\n'),
    ("api.py", '"""A library identified by \'name7890\'."""\n'),
)


def _cases() -> Iterator[object]:
    for path, text, made, twin in WILD:
        yield pytest.param(path, text, made, twin, id=f"{path}: {text.split(chr(10))[0][:30]}")


@pytest.mark.parametrize(("path", "text", "made", "twin"), tuple(_cases()))
def test_a_secret_is_found_where_others_write_it_and_its_twin_is_not(
    path: str, text: str, made: Made, twin: str
) -> None:
    values = [made(Values(seed)) for seed in range(5)]
    missed = [value for value in values if not find_secrets(text.replace("§", value), path=path)]
    assert missed == []
    assert find_secrets(twin, path=path) == ()


@pytest.mark.parametrize(("path", "text"), REFERENCES)
def test_what_others_write_instead_of_a_secret_is_none(path: str, text: str) -> None:
    assert find_secrets(text, path=path) == ()
