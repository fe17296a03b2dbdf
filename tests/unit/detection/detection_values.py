"""Secrets and their benign twins, made at run time from a seed: no literal token is kept here."""

import base64
import json
import random
import string
import zlib

ALNUM = string.ascii_letters + string.digits
URL64 = ALNUM + "-_"
HEX = "0123456789abcdef"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
WORDS = [
    "anchor",
    "basket",
    "copper",
    "daisy",
    "ember",
    "falcon",
    "garden",
    "harbor",
    "island",
    "jigsaw",
    "kettle",
    "lantern",
    "meadow",
    "nickel",
    "orchid",
]


class Values:
    """A seeded source of values."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def text(self, alphabet: str, size: int) -> str:
        return "".join(self.random.choices(alphabet, k=size))

    def hex(self, size: int) -> str:
        return self.text(HEX, size)

    def base64(self, size: int) -> str:
        return base64.b64encode(self.random.randbytes(size)).decode()

    def uuid(self) -> str:
        digits = self.hex(32)
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def checked(self, prefix: str) -> str:
        body = self.text(ALNUM, 30)
        number, digits = zlib.crc32(body.encode()), ""
        while number:
            number, rest = divmod(number, 62)
            digits = BASE62[rest] + digits
        return prefix + body + digits.rjust(6, "0")

    def jwt(self) -> str:
        def part(value: object) -> str:
            return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

        header = part({"alg": "RS256", "typ": "JWT", "kid": self.hex(8)})
        claims = part({"iss": "https://login.acme.example", "sub": self.hex(8), "exp": 1795000000})
        return f"{header}.{claims}.{self.text(URL64, 86)}"

    def pem(self, label: str, newline: str = "\n") -> str:
        body = self.base64(160)
        lines = [body[at : at + 64] for at in range(0, len(body), 64)]
        dashes = "-" * 5
        return newline.join([f"{dashes}BEGIN {label}{dashes}", *lines, f"{dashes}END {label}{dashes}"])

    def password(self) -> str:
        """What people choose."""
        word, other = self.random.sample(WORDS, 2)
        number = self.random.randint(1, 9999)
        sign = self.random.choice("!#%&*+?@^~")
        return self.random.choice(
            [
                f"{word}{number}",
                f"{word.title()}{sign}{number}",
                f"{word}-{other}-{self.random.choice(WORDS)}",
                f"{word.replace('a', '4').replace('e', '3')}{sign}{other.title()}",
                self.text(ALNUM + "!#%&*+?@^~", 14),
                f"{word.title()}{other.title()}{number}{sign}",
            ]
        )

    def token(self) -> str:
        """A token of a known provider."""
        return self.random.choice(PROVIDERS)(self)

    def opaque(self) -> str:
        """A generated value of no provider."""
        return self.random.choice(
            [
                lambda: self.hex(32),
                lambda: self.hex(40),
                lambda: self.hex(64),
                lambda: self.text(ALNUM, 32),
                lambda: self.text(ALNUM, 24),
                lambda: self.text(URL64, 43),
                lambda: self.base64(32),
                lambda: self.base64(30),
                self.uuid,
            ]
        )()


PROVIDERS = [
    lambda v: "AK" + "IA" + v.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    lambda v: v.checked("gh" + "p_"),
    lambda v: v.checked("gh" + "s_"),
    lambda v: v.checked("np" + "m_"),
    lambda v: "gh" + "p_" + v.text(ALNUM, 36),
    lambda v: "github" + "_pat_" + v.text(ALNUM, 22) + "_" + v.text(ALNUM, 59),
    lambda v: "glp" + "at-" + v.text(URL64, 20),
    lambda v: (
        "xo" + "xb-" + v.text("0123456789", 12) + "-" + v.text("0123456789", 12) + "-" + v.text(ALNUM, 24)
    ),
    lambda v: "sk" + "_live_" + v.text(ALNUM, 24),
    lambda v: "wh" + "sec_" + v.text(ALNUM, 32),
    lambda v: "sk-" + "ant-api03-" + v.text(URL64, 93) + "AA",
    lambda v: "sk-" + "proj-" + v.text(URL64, 74) + "T3Blbk" + "FJ" + v.text(URL64, 74),
    lambda v: "sk-" + v.text(ALNUM, 48),
    lambda v: "AI" + "za" + v.text(URL64, 35),
    lambda v: "GOC" + "SPX-" + v.text(URL64, 28),
    lambda v: "S" + "G." + v.text(URL64, 22) + "." + v.text(URL64, 43),
    lambda v: "h" + "f_" + v.text(string.ascii_letters, 34),
    lambda v: "gs" + "k_" + v.text(ALNUM, 52),
    lambda v: "hv" + "s." + v.text(URL64, 90),
    lambda v: "do" + "p_v1_" + v.hex(64),
    lambda v: "da" + "pi" + v.hex(32),
    lambda v: "ntn" + "_" + v.text(string.digits, 11) + v.text(ALNUM, 35),
    lambda v: "lin" + "_api_" + v.text(ALNUM, 40),
    lambda v: "pyp" + "i-AgEIcHlwaS5vcmc" + v.text(URL64, 90),
    lambda v: "tv" + "ly-" + v.text(ALNUM, 32),
    lambda v: "gls" + "a_" + v.text(ALNUM, 32) + "_" + v.hex(8),
    lambda v: v.text(string.digits, 10) + ":AA" + v.text(URL64, 33),
    lambda v: v.text(ALNUM, 3) + "8" + "Q~" + v.text(ALNUM, 34),
    lambda v: "AGE-SECRET" + "-KEY-1" + v.text("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
    lambda v: "dckr" + "_pat_" + v.text(URL64, 27),
    lambda v: "shp" + "at_" + v.hex(32),
    lambda v: v.hex(32) + "-us" + "14",
]


def filled(template: str, values: Values) -> str:
    """A template of the vectors with its `⟦…⟧` made: `⟦hex:32⟧`, `⟦github⟧`, `⟦basic:user:password⟧`."""
    while (end := template.find("⟧")) >= 0:
        start = template.rfind("⟦", 0, end)
        template = template[:start] + _made(template[start + 1 : end], values) + template[end + 1 :]
    return template


def _made(what: str, values: Values) -> str:
    kind, _, rest = what.partition(":")
    size = int(rest) if rest.isdigit() else 0
    made = {
        "hex": lambda: values.hex(size),
        "HEX": lambda: values.hex(size).upper(),
        "alnum": lambda: values.text(ALNUM, size),
        "lower": lambda: values.text(string.ascii_lowercase + string.digits, size),
        "upper": lambda: values.text(string.ascii_uppercase + string.digits, size),
        "digits": lambda: "1" + values.text("23456789", size - 1),
        "url": lambda: values.text(URL64, size),
        "base64": lambda: values.base64(size),
        "urlb64": lambda: values.base64(size).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
        "uuid": values.uuid,
        "jwt": values.jwt,
        "aws": lambda: PROVIDERS[0](values),
        "github": lambda: values.checked("gh" + "p_"),
        "npm": lambda: values.checked("np" + "m_"),
        "gitlab": lambda: PROVIDERS[6](values),
        "pypi": lambda: "pyp" + "i-AgEIcHlwaS5vcmc" + values.text(URL64, 90),
        "basic": lambda: base64.b64encode(rest.encode()).decode(),
        "b64text": lambda: base64.b64encode(rest.encode()).decode(),
        "x": lambda: values.text(ALNUM, 16),
        "pem": lambda: values.pem(rest),
        "pemjson": lambda: values.pem("PRIVATE KEY", "\\n"),
        "pem64": lambda: base64.b64encode(values.pem("RSA PRIVATE KEY").encode()).decode(),
        "certb64": lambda: base64.b64encode(values.pem("CERTIFICATE").encode()).decode(),
    }
    return made[kind]()
