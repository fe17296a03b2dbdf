"""What stands where a secret could, and is none: references, placeholders, public material, plain words."""

import re

from launchworthy.detection.randomness import looks_generated

_REFERENCE = re.compile(
    r"""
      \${1,2}[({]?[A-Za-z_][\w.:?!/-]*[)}]? | %\w+(?:\([\w.:-]*\))?% | @[\w.-]+@ # $NAME $(NAME) %NAME% @NAME@
    | [$@]\w{0,20}\{[^{}\n]{1,200}\} | `[^`\n]{1,200}`                  # $ENV{NAME} @{store:name} `command`
    | .*(?:\$\{\{?|\{\{|<%|\#\{|\$\().*                                 # a template somewhere in it
    | %\(\w+\)s | %[sdr] | \{[\w.!:]*\} | :\w+ | \?
    | <[^<>]{1,80}> | \[[A-Za-z _-]{2,60}\]{1,2}                           # <your token> [token]
    | ![A-Za-z]+(?:[./:][A-Za-z]+)*(?:\s.*)? | --?[a-z][a-z-]*       # !Ref, !vault; another option
    | (?:arn:aws[\w-]*:|projects/[\w.-]+/secrets/|ocid1\.|spiffe://|urn:|did:|@Microsoft\.KeyVault).*
    | (?:op|vault|bao|openbao|hcvault|aws-?sm|aws-?ssm|awsssm|ssm|gcp-?sm|gsm|azkv|akv|(?:azure)?keyvault|sm
       |secretsmanager|secrets?|secretref|keychain|keyring|se|doppler|bws|bitwarden|k8s|kubernetes|sops|file
       |env|infisical|conjur|cyberark|gopass|chamber|berglas|ref|ref\+\w+|akeyless|delinea|1password|lastpass|cf
       |credstash|parameterstore|[a-z]+-secret)(?::|://|\+).*
    | (?:process\.env|os\.environ|os\.getenv|env|secrets|vars?|local|data|module|each|steps|inputs|github|self
       |this|settings|config|params|args|opts|options|request|ctx|context|values|app)[.\[(].*
    | [A-Za-z_][\w.]*\(.* | [A-Za-z_]\w*(?:\[[^\]]*\])+                 # a call, a look-up
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
"""It says where the value is."""

_ENCRYPTED = re.compile(
    r"""
      ENC\[.* | ENC\(.*\) | \{cipher\}.* | \{[A-Za-z0-9+/]{14,}={0,2}\} | vault:v\d+:.* | \$ANSIBLE_VAULT;.*
    | AQICAH[\w+/=]+ | Ag[A-D][\w+/=]{80,}
    | (?:wc[A-Z]MA|hQ[A-Z]MA|LS0tLS1CRUdJTiBQR1AgTUVTU0FHRS)[\w+/=]{60,}
    """,
    re.VERBOSE | re.DOTALL,
)
"""SOPS, jasypt, Spring, Maven, Vault transit, Ansible, AWS KMS, sealed secrets, OpenPGP."""

_PLACE = re.compile(
    r"""
      (?:/|\./|\.\./|~/|[A-Za-z]:[\\/]|\\\\)[\w.@${}/\\ +~:-]*
    | [\w./-]+\.(?:pem|key|crt|cer|pub|p12|pfx|jks|kdbx|gpg|asc|age|enc|sops|json|ya?ml|toml|xml|csv|txt|md
       |html?|log|env|conf|cfg|ini|properties|lock|tf|tpl|j2|py|js|ts|sh|go|rs|rb|java|php|sqlite|db|sock)
    | unix://\S+ | tcp://[\w.:-]+
    | [A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:@/]*(?::\d+)?(?:/[^\s@?]*)?
      (?:\?(?:ssl|tls|ssl_?mode|timeout|pool)=[\w-]*)?
    | (?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?:/\d+)? | \d{1,5}/(?:tcp|udp|sctp)
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,12}
    """,
    re.VERBOSE,
)
"""A path, a file, a URL without a password, an address of a host or a mailbox."""

_PUBLIC = re.compile(
    r"""
      (?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+|sk-ssh-\S+)(?:\s.*|$)
    | -----BEGIN\ (?:(?:RSA\ )?PUBLIC\ KEY|CERTIFICATE|X509\ CRL|PGP\ PUBLIC|PGP\ MESSAGE|AGE\ ENC|SSH\ SIG).*
    | age1[0-9a-z]{58} | pk[._](?:live|test|eyJ)\S+ | pk_\w+ | sb_publishable_\S+
    | (?:sha(?:1|224|256|384|512)|md5|blake2[bs]?|sri|b3)[:=-]\S+ | SHA256:\S{43}
    | \$(?:2[abxy]?|argon2(?:id?|d)|[1567y]|apr1|scrypt|pbkdf2[\w-]*)\$.* | \{(?:SSHA|SHA|CRYPT|PBKDF2)\S*\}.*
    | (?:pbkdf2_sha\d+|bcrypt_sha\d+|bcrypt|argon2|scrypt)\$.* | SCRAM-SHA-\d+\$.* | \*[0-9A-F]{40}
    | md5[0-9a-f]{32}
    """,
    re.VERBOSE | re.DOTALL,
)
"""Public keys and digests, those of passwords too."""

_PLAIN = re.compile(
    r"""
      (?:true|false|yes|no|on|off|null|none|nil|undefined|nan|void|optional|required|enabled?|disabled?|inherit
       |auto|default|write|read|read-write|any|all|always|never|empty|unset|unknown|n/?a|string|str|int|bytes|boolean
       |object|basic|bearer|digest|oauth2?|oidc|jwt|token|saml|ldap|local|include|same-origin|omit|plain|header|query
       |cookie|files|compat|client_secret_(?:basic|post|jwt)|private_key_jwt|hmac|rsa|aes|ed25519|hs\d+|rs\d+|es\d+)
    | [+-]?\d+(?:\.\d+)?(?:ms|[smhdwy]|[kmg]i?b?|%)?
    | \[\]? | \{\}? | \|[+-]? | >[+-]? | [-=~.*_#]+ | \(\) | [\])},;]+
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Switches, words of protocols, numbers, marks."""

_PLACEHOLDER = re.compile(
    r"""
      example|change[_\- ]?(?:me|this|it)|replace[_\- ]?(?:me|with|this)|place[_\- ]?holder|redacted
    | your[_\- ]|your(?=[A-Z])|^your|\b(?:todo|fixme|tbd|insert|fill[_\- ]?in|put[_\- ])|dummy|fake|sample
    | not[_\- ]?a?[_\- ]?(?:real|secret)|\.invalid\b|<[^>]+>|\.\.\.|…|\\u2026|\*{3,}|x{4,}|\#{4,}|foo[_-]?bar
    | lorem|goes[_\- ]?here|[_\- ]here\b|censored|masked|hidden|removed|obfuscated|do[_\- ]?not[_\- ]?use
    | unused|none[_-]?provided|set[_\- ](?:me|in|by|via|this)|from[_\- ](?:vault|env|secret)
    | ^my[_\-][a-z_\-]+$|^my(?=[A-Z])[A-Za-z]+$
    | ^(?:test|testing|password|passwd|secret|token|pass|pwd|apikey|api[_-]key|key|user|username|abc|xxx+
       |string|secretkey|credentials?|value|changeit)$
    | ^(?:test|demo|dev|local|ci|some|an?|the|any)[_-](?:\w+[_-])?
       (?:password|token|secret|key|pass|value|pw)s?\d{0,3}$
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Somebody is meant to put something else here."""

_SCREAMING = re.compile(r"[A-Z][A-Z]*(?:_[A-Z]+)+")
_SEQUENCES = (
    "0123456789",
    "1234567890",
    "abcdefghij",
    "qwertyuiop",
    "deadbeef",
    "9876543210",
    "aaaaaaaa",
    "00000000",
)
_MOSTLY_ONE = 0.5
_SHORTEST = 4


def is_reference(value: str) -> bool:
    """Whether this names where a value is, in any of the usual notations."""
    return _REFERENCE.fullmatch(value) is not None


def is_placeholder(value: str) -> bool:
    """Whether somebody is meant to put something else here."""
    if _PLACEHOLDER.search(value) is not None or _SCREAMING.fullmatch(value) is not None:
        return True
    lowered = value.lower()
    if any(sequence in lowered for sequence in _SEQUENCES):
        return True
    most_frequent = max(map(lowered.count, set(lowered)), default=0)
    return most_frequent / max(len(value), _SHORTEST) > _MOSTLY_ONE


def is_place(value: str) -> bool:
    """Whether this is a path, a file's name or an address; base64 may begin with a slash and is none."""
    if _PLACE.fullmatch(value) is None:
        return False
    return not any(looks_generated(part) for part in value.split("/"))


def is_benign(value: str) -> bool:
    """Whether a literal under a sensitive name is none of the secrets that the name promises."""
    return (
        _PLAIN.fullmatch(value) is not None
        or is_reference(value)
        or _ENCRYPTED.fullmatch(value) is not None
        or is_place(value)
        or _PUBLIC.match(value) is not None
        or is_placeholder(value)
    )
