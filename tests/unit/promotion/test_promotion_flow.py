"""Where a caller's words go: what is harm, and what realistic tools do that is none."""

import ast
import textwrap

import pytest

from launchworthy.promotion.flow.following import Following
from launchworthy.promotion.flow.modules import read_modules

HEAD = """
import asyncio, os, pickle, re, shlex, shutil, sqlite3, subprocess, importlib
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID
import httpx, requests, yaml
from sqlalchemy import text
from launchworthy import Call, tool, resource, prompt
from pydantic import Field
ROOT = Path("/srv/files")
COLUMNS = "id, name"
TABLES = {"orders": "orders", "customers": "customers"}
Name = Annotated[str, Field(max_length=80)]
Code = Annotated[str, Field(pattern=r"^[a-z]{2}-[0-9]{1,9}$")]
Loose = Annotated[str, Field(pattern=r"^.+$")]
Number = Annotated[int, Field(ge=1)]
"""


def harm(code, *others):
    """What is found, a line each: where and a few words."""
    texts = [("src/x/tools.py", HEAD + textwrap.dedent(code))]
    texts += [(f"src/x/m{number}.py", HEAD + textwrap.dedent(other)) for number, other in enumerate(others)]
    return [
        f"{each.what}"
        for each in Following(read_modules((path, ast.parse(text)) for path, text in texts)).harm
    ]


HARMFUL = {
    "os.system": ("def f(call: Call[X], name: Name): os.system(name)", "shell"),
    "a shell": ("def f(name: str): subprocess.run(f'grep {name} log', shell=True)", "shell"),
    "a shell by format": ("def f(n: str): subprocess.run('grep {} x'.format(n), shell=True)", "shell"),
    "a shell, awaited": ("async def f(n: str): await asyncio.create_subprocess_shell(f'ls {n}')", "shell"),
    "a shell in a thread": ("async def f(n: str): await asyncio.to_thread(os.system, n)", "shell"),
    "a shell, later": ("def f(n: str): return lambda: os.system(n)", "shell"),
    "a shell inside": ("def f(n: str):\n def g():\n  os.system(n)\n return g()", "shell"),
    "a program": ("def f(name: str): subprocess.run([name, '--version'], check=True)", "program"),
    "a whole command": ("def f(name: str): subprocess.run(shlex.split(name), check=True)", "program"),
    "eval": ("def f(expression: str): return eval(expression)", "code"),
    "exec of anything": ("def f(n: int): exec(compute())", "code"),
    "a module": ("def f(name: str): return importlib.import_module(name)", "choose code"),
    "an attribute": ("def f(call: Call[X], name: str): return getattr(call.app, name)()", "choose code"),
    "pickle": ("def f(data: str): return pickle.loads(bytes.fromhex(data))", "choose code"),
    "yaml": ("def f(data: str): return yaml.load(data, yaml.Loader)", "choose code"),
    "a query": ("def f(name: str): db.execute(f\"SELECT * FROM t WHERE n = '{name}'\")", "query"),
    "a query by plus": ("def f(name: str): db.execute('SELECT * FROM t WHERE n = ' + name)", "query"),
    "a query by percent": ("def f(name: str): db.execute('SELECT * FROM t WHERE n = %s' % name)", "query"),
    "a query in steps": ("def f(n: str):\n q = 'SELECT 1'\n q += ' FROM ' + n\n db.execute(q)", "query"),
    "a query by sqlalchemy": ("def f(name: str): s.execute(text(f'SELECT {name}'))", "query"),
    "a loose pattern": ("def f(name: Loose): db.execute(f'SELECT {name}')", "query"),
    "a list of words": ("def f(names: list[str]):\n for n in names: db.execute(f'SELECT {n}')", "query"),
    "a table": ("def f(names: dict[str, str]): db.execute(f'SELECT {names[\"a\"]}')", "query"),
    "open": ("def f(name: str): return open('/srv/' + name).read()", "file"),
    "a path": ("def f(name: str): return (ROOT / name).read_text()", "file"),
    "a path in steps": ("def f(name: str):\n p = Path('/srv') / name\n p.unlink()", "file"),
    "with open": ("def f(name: str):\n with open(name) as s:\n  return s.read()", "file"),
    "rmtree": ("def f(name: str): shutil.rmtree(os.path.join('/srv', name))", "file"),
    "a host": ("async def f(url: str): return httpx.get(url).text", "host"),
    "a host in an address": ("def f(host: str): return requests.get(f'https://{host}/x').text", "host"),
    "a host at the end of a name": ("def f(a: str): return httpx.get('https://x.example' + a)", "host"),
    "a host by a user": ("def f(a: str): return httpx.get(f'https://x.example{a}/')", "host"),
    "a client": (
        "async def f(u: str):\n async with httpx.AsyncClient() as h:\n  return await h.get(u)", "host",
    ),
    "a client's request": ("def f(u: str):\n c = requests.Session()\n return c.request('GET', u)", "host"),
    "no certificate": ("def f(n: int): return httpx.get('https://x.example/', verify=False)", "certificate"),
    "checked, and not ended": ("def f(n: str):\n if n not in TABLES: log(n)\n os.system(n)", "shell"),
    "checked the other way": ("def f(n: str):\n if n in TABLES:\n  raise E\n db.execute(n)", "query"),
    "compared too late": ("def f(name: str):\n db.execute(name)\n if name not in TABLES: raise E", "query"),
    "suppressed": ("def f(name: str): os.system(name)  # noqa: S605", "shell"),
    "by a name in an or": (
        "def f(a: str, b: str):\n if a in TABLES or b in TABLES:\n  db.execute(a)", "query",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("code", "says"), HARMFUL.values(), ids=list(HARMFUL))
def test_a_callers_word_that_becomes_more_is_found(code, says):
    found = harm("@tool\n" + textwrap.dedent(code))
    assert any(says in each for each in found), found


@pytest.mark.parametrize("mark", ["tool", "resource", "prompt"])
def test_every_marked_function_has_callers(mark):
    assert harm(f"@{mark}\ndef f(name: str): os.system(name)")
    assert harm("def f(name: str): db.execute(name)") == [], "nobody calls it"


BENIGN = {
    "a fixed command": "def f(name: str): subprocess.run(['git', 'log', '--', name], check=True)",
    "a fixed list for a shell": "def f(n: str): subprocess.run(['npx.cmd', '--version'], shell=True)",
    "a fixed command with input": "def f(name: str): subprocess.run(['wc', '-l'], input=name.encode())",
    "a quoted word": "def f(name: str): log(f'looked for {name!r}')",
    "parameters": "def f(name: str): db.execute('SELECT * FROM t WHERE n = ?', (name,))",
    "an f-string in a parameter": "def f(name: str): db.execute('SELECT 1 WHERE n LIKE ?', (f'%{name}%',))",
    "a query of our own words": "def f(n: str): db.execute(f'SELECT {COLUMNS} FROM t WHERE n = ?', (n,))",
    "a query with a number": "def f(limit: Number): db.execute(f'SELECT * FROM t LIMIT {limit}')",
    "a query with a number of ours": "def f(name: str): db.execute(f'SELECT 1 LIMIT {len(name)}')",
    "as many marks as words": (
        "def f(ids: list[str]):\n m = ','.join('?' * len(ids))\n db.execute(f'SELECT 1 IN ({m})', ids)"
    ),
    "a choice": "def f(order: Literal['name', 'date']): db.execute(f'SELECT 1 ORDER BY {order}')",
    "a narrow pattern": "def f(code: Code): return (ROOT / code).read_text()",
    "a table of ours": "def f(name: str): db.execute(f'SELECT * FROM {TABLES[name]}')",
    "a table of ours by get": "def f(name: str): db.execute(f'SELECT * FROM {TABLES.get(name)}')",
    "compared first": "def f(name: str):\n if name not in TABLES: raise E\n db.execute(f'SELECT {name}')",
    "compared around": "def f(name: str):\n if name in TABLES:\n  db.execute(f'SELECT {name}')",
    "matched first": "def f(n: str):\n if not re.fullmatch('[a-z]+', n): raise E\n db.execute(f'SELECT {n}')",
    "no match": "def f(n: str):\n if re.fullmatch('[a-z]+', n) is None: raise E\n db.execute(f'SELECT {n}')",
    "by a match": (
        "def f(n: str):\n match n:\n  case 'a' | 'b':\n   db.execute(f'SELECT {n}')\n  case _:\n   raise E"
    ),
    "joined and checked": (
        "def f(name: str):\n p = (ROOT / name).resolve()\n"
        " if not p.is_relative_to(ROOT): raise E\n return p.read_text()"
    ),
    "a number in a path": "def f(order_id: int): return (ROOT / f'{order_id}.json').read_text()",
    "a UUID in a path": "def f(order_id: UUID): return (ROOT / f'{order_id}.json').read_text()",
    "a parsed UUID": "def f(order_id: str): return (ROOT / f'{UUID(order_id)}.json').read_text()",
    "a fixed host": "def f(city: str): return httpx.get(f'https://weather.example/v1/{city}').json()",
    "words in a query string": "def f(q: str): return requests.get('https://x.example/s', params={'q': q})",
    "words in a body": "async def f(q: str): return await httpx.post('https://x.example/s', json={'q': q})",
    "our own upstream": (
        "async def f(call: Call[X], name: str):\n async with call.upstream('crm') as crm:\n"
        "  return (await crm.get(f'/customers/{name}')).json()"
    ),
    "a client with a fixed base": (
        "async def f(q: str):\n async with httpx.AsyncClient(base_url='https://x.example') as http:\n"
        "  return await http.get(f'/search/{q}')"
    ),
    "a cache": "def f(name: str): return cache.get(name)",
    "text work": "def f(name: str): return name.strip().replace('a', 'b').split(',')",
    "a template of ours": "def f(name: str): return (ROOT / 'mail.txt').read_text().format(name=name)",
    "safe yaml": "def f(data: str): return yaml.safe_load(data)",
    "a fixed getattr": "def f(order: str): return getattr(order, 'name')",
    "a temporary file": "def f(data: str):\n with TemporaryFile() as t: t.write(data.encode())",
    "a thread with parameters": "async def f(n: str): await asyncio.to_thread(db.execute, 'SELECT ?', (n,))",
    "the call itself": "def f(call: Call[X]): return open(call.app.database)",
}


@pytest.mark.parametrize("code", BENIGN.values(), ids=list(BENIGN))
def test_what_realistic_tools_do_is_no_harm(code):
    assert harm("@tool\n" + textwrap.dedent(code)) == []


STORE = """
class Store:
    def find(self, name, *, order="id"):
        return self._run(f"SELECT {COLUMNS} FROM t WHERE n = ? ORDER BY {order}", name)

    def _run(self, statement, *values):
        return self.db.execute(statement, values)

def label(name):
    return f"<{name}>"

def size(name):
    return len(name)
"""


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def f(call: Call[X], name: str): return call.app.find(name)", []),
        ("def f(call: Call[X], o: str): return call.app.find('x', order=o)", ["puts a caller's words into"]),
        ("def f(name: str): db.execute(f'SELECT {label(name)}')", ["puts a caller's words into"]),
        ("def f(name: str): db.execute(f'SELECT {size(name)}')", []),
        (
            "def f(call: Call[X], name: str): return call.app.find(**{'order': name})",
            ["a caller's words into"],
        ),
    ],
)
def test_words_are_followed_into_other_modules(code, found):
    seen = harm("@tool\n" + code, STORE)
    assert len(seen) == len(found), seen
    assert all(says in each for says, each in zip(found, seen, strict=True))


def test_functions_that_call_each_other_come_to_an_end():
    code = "@tool\ndef f(n: str): return g(n)\ndef g(x): return h(x)\ndef h(y):\n os.system(y)\n return g(y)"
    assert len(harm(code)) == 1
