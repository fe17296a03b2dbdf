r"""How is a value written beside its name? One reader a notation; the first that knows the notation answers.

`NAME=value`  `name: value`  `"name": "value"`  `name = "value"`  `name: str = "value"`  `["NAME"] = "value"`
`("NAME", "value")`  `--name value`  `--name=value`  `"--name", "value"`  `ENV NAME value`  `${NAME:-value}`
`…;Password=value;…`  `?name=value&…`  `| name | value |`  `<name>value</name>`  `<add key="name" value="…"/>`
`name string = "value"`  `"name": {"value": "…"}`  `name:` and below it `Default: value`  `rootpw value`
`proxy_set_header name "value"`, and in a text for people: name `value`.

Every repetition has a bound: a text that is made to be slow must not be.
"""

import re
from typing import NamedTuple

from launchworthy.detection.dialect import PLACE, Dialect
from launchworthy.detection.judgement import Place
from launchworthy.detection.names import Family, family


class Pair(NamedTuple):
    """A name, the value under it, where the value starts, and what kind of place it is."""

    name: str
    value: str
    start: int
    place: Place


class Name(NamedTuple):
    """A promising name in a text."""

    text: str
    begin: int
    end: int
    dialect: Dialect

    @property
    def name(self) -> str:
        """The name without the marks around it."""
        return self.text[self.begin : self.end].strip(".-$")

    @property
    def before(self) -> str:
        """The character before the name."""
        return self.text[self.begin - 1] if self.begin else "\n"


_GAP = r"[ \t]{0,40}"
_BLANK = r"[ \t]{1,40}"
_QUOTED = (
    r'(?:"(?P<double>[^"\\\n]{0,999}(?:\\.[^"\\\n]{0,999}){0,99})"'
    r"|'(?P<single>[^'\\\n]{0,999}(?:\\.[^'\\\n]{0,999}){0,99})'"
    r"|`(?P<back>[^`\n]{0,999})`"
    r'|\\"(?P<escaped>[^"\\\n]{0,999}(?:\\\\.[^"\\\n]{0,999}){0,99})\\")'
)
_ANNOTATION = r":" + _GAP + r"[A-Za-z_&][\w.\[\], |'&]{0,40}?=(?!=)"
_TYPED = rf"(?:string|String|str){_GAP}=(?!=)"
_PLAIN = re.compile(
    r"""(?P<close>\\?["'`])?[\])]?"""
    + _GAP
    + rf"(?P<mark>{_ANNOTATION}|{_TYPED}|:=|=>|\?=|={{1,3}}|:|,|\||\)?{_BLANK}is[ \t])"
    + _GAP
    + rf"(?:[A-Za-z]{{0,2}}{_QUOTED}"
    + r"""|(?P<bare>[^\s"'`{\[]))"""
)
_OPTION = re.compile(
    r"""(?:=|["'](?:"""
    + _GAP
    + rf",\s{{0,40}}|\s{{1,40}}-\s{{1,40}})|{_BLANK}|{_GAP}\n\s{{0,40}}-\s{{1,40}})(?:{_QUOTED}"
    + r"""|(?P<bare>[^\s"'`,\]-]))"""
)
_TRIPLE = re.compile(
    r"""(?P<quote>\"{3}|'{3})\\?\s{0,40}(?P<line>[^\n"']{1,999}(?=\n)|[^\n]{1,999}?(?=(?P=quote)))"""
)
"""The first line of a text over several; longer secrets are keys, and those have shapes."""
_DEFAULT = re.compile(r":?[-=](?P<double>[^}\n]{1,500})\}")
_SPACED = re.compile(_BLANK + "(?:" + _QUOTED + r"|(?P<bare>[^\s\"'`=:,;()\[\]{}]))")
_ATTRIBUTE = re.compile(rf"""["']{_BLANK}value{_GAP}={_GAP}{_QUOTED}""")
_OBJECT = re.compile(
    rf"""["']?{_GAP}[:=]{_GAP}\{{[^{{}}]{{0,300}}?["']?\b(?:value|default|defaultValue)["']?{_GAP}[:=]{_GAP}{_QUOTED}"""
)
_MAPPING = re.compile(
    rf"""["']?:{_GAP}\n(?:{_BLANK}(?!(?:[Vv]alue|[Dd]efault):)[A-Za-z]\w{{0,40}}:[^\n]{{0,300}}\n){{0,5}}"""
    rf"""{_BLANK}(?:[Vv]alue|[Dd]efault):{_BLANK}(?:{_QUOTED}|(?P<bare>[^\s"'`{{\[]))"""
)
_IN_BACKTICKS = re.compile(rf"{_BLANK}`(?P<back>[^`\n]{{1,999}})`")
_LAST_WORD = re.compile(rf"""{_BLANK}["']?(?P<bare>[^\s"';]{{4,128}})["']?;?{_GAP}$""", re.MULTILINE)
_ELEMENT = re.compile(
    r">(?P<double>[^<>\n]{1,512})</|</\w{1,40}>\s{0,40}<value>(?P<single>[^<>\n]{1,512})</value>"
)
_BEFORE_QUOTED = re.compile(rf"{_BLANK}(?:\"(?P<double>[^\"\n]{{1,999}})\"|'(?P<single>[^'\n]{{1,999}})')")

_TO_BLANK = re.compile(r"""[^\s;&|"'`<>()]{1,1100}""")
_TO_LINE_END = re.compile(r"[^\n]{0,1100}")
_TO_SEPARATOR = re.compile(r"""[^;&\s"'`<>\\,})\]]{1,1100}""")
_IN_FLOW = re.compile(r"[^,}\]\n]{0,1100}")
_COMMENT = re.compile(r"[ \t]{1,40}(?:#|;|//).*$")
_OTHER_PARAMETERS = re.compile(
    r"(?:^|[\s\"';])(?:host|hostaddr|user|dbname|port|server|uid|database|sslmode|data source)=\S",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\[nrt]")
ESCAPES = frozenset({"\\n", "\\r", "\\t"})
"""How a string of a string begins a new line."""
_SIGNS = frozenset("+- ")
_BLOCKS = frozenset({"|", "|-", "|+", ">", ">-", ">+"})
_QUOTES = frozenset("\"'`")
_MARKUP = _QUOTES | {"<", ">"}
_FIRST_ARGUMENT = frozenset({"('", '("'})
_SPACED_NAMES = frozenset({"password", "requirepass", "masterauth", "_authtoken", "passwd"})
_SPACED_LEADS = frozenset({"machine", "login", "default"})
_HEADER_LEADS = frozenset({"proxy_set_header", "add_header", "set-header", "fastcgi_param", "set", "header"})
_MOST_BEFORE = 2
_WINDOW = 300


def read(at: Name) -> tuple[Pair, ...]:
    """The pairs at a name: none, or one."""
    for reader in (_option, _parameter, _default, _plain, _within, _apart):
        found = reader(at)
        if found is not None:
            return found
    return ()


def _option(at: Name) -> tuple[Pair, ...] | None:
    """`--name value` of a command line, also as two elements of a list."""
    if at.text[at.begin] != "-" or at.before not in "\"' \t\n=":
        return None
    found = _OPTION.match(at.text, at.end)
    if found is None:
        return ()
    place = Place.SOURCE if at.dialect is Dialect.PROSE else PLACE[at.dialect]
    return _quoted(at, found, place) or _to(_TO_BLANK, at, found.start("bare"), place, strip=",]")


def _parameter(at: Name) -> tuple[Pair, ...] | None:
    """One of several `name=value` in a connection string or a URL's query."""
    before, assigns = at.before, at.text[at.end : at.end + 1] == "="
    if before not in ";?&" and not (before == " " and assigns and _among_others(at)):
        return None
    if not assigns:
        return ()
    quote = at.text[at.end + 1 : at.end + 2]
    if quote in _QUOTES and at.text.count(quote, _line_start(at.text, at.begin), at.begin) % 2 == 0:
        return None  # `f(host="…", password="…")`: no string is open here
    in_url = before in "?&" and family(at.name) is not Family.PASSWORD
    in_code = in_url or at.dialect in (Dialect.SOURCE, Dialect.PROSE)
    return _to(_TO_SEPARATOR, at, at.end + 1, Place.SOURCE if in_code else Place.CONFIGURATION)


def _among_others(at: Name) -> bool:
    """Whether a `name=value` stands among others in one string (`host=db user=orders password=…`)."""
    line_end = at.text.find("\n", at.begin, at.begin + _WINDOW)
    stop = line_end if line_end >= 0 else at.begin + _WINDOW
    return _OTHER_PARAMETERS.search(at.text, _line_start(at.text, at.begin), stop) is not None


def _default(at: Name) -> tuple[Pair, ...] | None:
    """`${NAME:-value}`: a reference with a value to fall back to."""
    if at.text[max(0, at.begin - 2) : at.begin] != "${":
        return None
    found = _DEFAULT.match(at.text, at.end)
    return _quoted(at, found, PLACE[at.dialect]) if found is not None else ()


def _plain(at: Name) -> tuple[Pair, ...] | None:
    """A name, a mark, a value."""
    found = _PLAIN.match(at.text, at.end)
    if found is None:
        return None
    if not _means_a_value(at, found):
        return ()
    return _quoted(at, found, PLACE[at.dialect]) or _bare(at, found)


def _means_a_value(at: Name, found: re.Match[str]) -> bool:
    """Whether the mark joins a name and its value here, and not two elements or words."""
    match found["mark"].strip(" \t)"):
        case ",":  # only as in `setdefault("NAME", "value")`
            opened = at.text[max(0, at.begin - 4) : at.begin].replace(" ", "")[-2:]
            return found["bare"] is None and opened in _FIRST_ARGUMENT
        case "|" | "is":
            return at.dialect is Dialect.PROSE
        case ":":  # `…:secret:orders-db` in the middle of a resource's name
            return at.before != ":" or at.text[found.end("mark") : found.end("mark") + 1] in " \t"
        case _:
            return True


def _bare(at: Name, found: re.Match[str]) -> tuple[Pair, ...]:
    """A value without quotes of its own."""
    start, place = found.start("bare"), PLACE[at.dialect]
    if at.dialect is Dialect.SOURCE:
        return ()
    if at.dialect is Dialect.PROSE:
        return _to(_TO_BLANK, at, start, place, strip=".,;:!?)]*_|\\")
    if found["close"] is not None:  # a quoted name: JSON, or a flow mapping
        return _to(_IN_FLOW, at, start, place)
    if at.dialect is Dialect.WORDS:
        return _to(_TO_BLANK, at, start, place)
    lead = at.text[max(0, at.begin - 3) : at.begin]  # `\n`, and the sign of a diff that stands in a string
    if at.before in _QUOTES or lead[-2:] in ESCAPES or (lead[:2] in ESCAPES and lead[-1:] in _SIGNS):
        return _in_quotes(at, start)
    return _line(at, start)


def _in_quotes(at: Name, start: int) -> tuple[Pair, ...]:
    """The whole pair stands in quotes: `"NAME=value"`, or in a file that is a string of another."""
    (whole,) = _to(_TO_LINE_END, at, start, PLACE[at.dialect])
    quote = at.before if at.before in _QUOTES else '"'
    return (whole._replace(value=_ESCAPE.split(whole.value.partition(quote)[0])[0]),)


def _line(at: Name, start: int) -> tuple[Pair, ...]:
    """The rest of a line, without its comment."""
    place = PLACE[at.dialect]
    if "{" in at.text[_line_start(at.text, start) : start]:
        return _to(_IN_FLOW, at, start, place)
    (rest,) = _to(_TO_LINE_END, at, start, place)
    value = "" if rest.value.startswith("# ") else _COMMENT.sub("", rest.value).strip()
    value = value.partition("</")[0]
    return _block(at, start) if value in _BLOCKS else (rest._replace(value=value),)


def _block(at: Name, start: int) -> tuple[Pair, ...]:
    """The first line of a YAML block scalar; longer ones are texts or keys, and those have shapes."""
    line_start = at.text.find("\n", start) + 1
    if line_start == 0:
        return ()
    found = _TO_LINE_END.match(at.text, line_start)
    line = found.group() if found is not None else ""
    return (Pair(at.name, line.strip(), line_start + len(line) - len(line.lstrip()), Place.CONFIGURATION),)


def _within(at: Name) -> tuple[Pair, ...] | None:
    """A name for something that has its value inside: `"name": {"value": "…"}`."""
    found = _OBJECT.match(at.text, at.end)
    if found is not None:
        return _quoted(at, found, PLACE[at.dialect])
    found = _MAPPING.match(at.text, at.end) if at.dialect is Dialect.LINES else None
    if found is None:
        return None
    return _quoted(at, found, PLACE[at.dialect]) or _line(at, found.start("bare"))


def _apart(at: Name) -> tuple[Pair, ...] | None:
    """XML elements and attributes, `ENV NAME value`, `machine … password value`."""
    if at.before in _MARKUP:
        begin = at.end + (at.before in _QUOTES and at.text[at.end + 1 : at.end + 2] == ">")
        found = _ELEMENT.match(at.text, begin) or _ATTRIBUTE.match(at.text, begin)
        return _quoted(at, found, PLACE[at.dialect]) if found is not None else ()
    if at.dialect is Dialect.PROSE:
        found = _IN_BACKTICKS.match(at.text, at.end + (at.text[at.end : at.end + 1] == "`"))
        return _quoted(at, found, Place.PROSE) if found is not None else ()
    return _spaced(at) if at.dialect in (Dialect.LINES, Dialect.WORDS) else _directive(at, [])


def _spaced(at: Name) -> tuple[Pair, ...]:
    lead = at.text[_line_start(at.text, at.begin) : at.begin].split()
    sure = lead in (["ENV"], ["ARG"]) or (lead and lead[-1].lower() in _HEADER_LEADS)
    if not sure and not (at.name.lower() in _SPACED_NAMES and (not lead or lead[0] in _SPACED_LEADS)):
        return _directive(at, lead)
    found = _SPACED.match(at.text, at.end)
    if found is None:
        return ()
    place = Place.CONFIGURATION
    return _quoted(at, found, place) or _to(_TO_BLANK, at, found.start("bare"), place)


def _directive(at: Name, lead: list[str]) -> tuple[Pair, ...]:
    """`rootpw value`, `user admin insecure-password value`: not said by a mark, so it must look like one."""
    found = _BEFORE_QUOTED.match(at.text, at.end)
    if found is not None and at.name != "pass":  # a verb too
        return _quoted(at, found, Place.SOURCE) if family(at.name) is Family.PASSWORD else ()
    if at.dialect is Dialect.SOURCE or len(lead) > _MOST_BEFORE or ":" in "".join(lead):
        return ()
    found = _LAST_WORD.match(at.text, at.end)
    return (Pair(at.name, found["bare"], found.start("bare"), Place.SOURCE),) if found is not None else ()


def _quoted(at: Name, found: re.Match[str], place: Place) -> tuple[Pair, ...]:
    """The quoted value of a match, if it has one."""
    for group, value in found.groupdict().items():
        if value is not None and group in ("double", "single", "back", "escaped"):
            whole = _TRIPLE.match(at.text, found.start(group) - 1) if value == "" else None
            if whole is not None:
                return (Pair(at.name, whole["line"].rstrip(), whole.start("line"), place),)
            return (Pair(at.name, value, found.start(group), place),)
    return ()


def _to(pattern: re.Pattern[str], at: Name, start: int, place: Place, *, strip: str = "") -> tuple[Pair, ...]:
    """The value that begins here and goes as far as the pattern does."""
    found = pattern.match(at.text, start)
    value = found.group() if found is not None else ""
    return (Pair(at.name, value.rstrip(strip).strip() if strip else value.strip(), start, place),)


def _line_start(text: str, at: int) -> int:
    """Where the line of a position begins, or as far back as one needs to look."""
    earliest = max(0, at - _WINDOW)
    return max(earliest, text.rfind("\n", earliest, at) + 1)
