"""WWW-Authenticate taken apart, and the digest answer computed (RFC 9110 section 11.3, RFC 7616)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from .charset import unquote

MAX_CHALLENGES: Final = 32  # of one response; a server offers one for each scheme it knows

_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_SCHEME = re.compile(rf"({_TOKEN})(?:[ \t]+|$)").match
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|{_TOKEN})[ \t]*(?:,|$)', re.DOTALL).match
_TOKEN68 = re.compile(r"([A-Za-z0-9\-._~+/]+=*)[ \t]*(?:,|$)").match
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_BETWEEN = re.compile(r"[ \t,]*").match


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: its scheme and parameter names in lower case."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)


def parse_challenges(lines: Iterable[str]) -> list[Challenge]:
    """The challenges of all lines, in order; a line is left at the first thing that is no challenge.

    >>> [c.scheme for c in parse_challenges(['Basic realm="a, b", Digest realm=c, nonce="d"'])]
    ['basic', 'digest']
    """
    found: list[Challenge] = []
    for line in lines:
        at = _skip(line, 0)
        while at < len(line) and len(found) < MAX_CHALLENGES:
            scheme = _SCHEME(line, at)
            if scheme is None:
                break
            challenge = Challenge(scheme[1].lower())
            found.append(challenge)
            at = _parameters(line, scheme.end(), challenge.parameters)
    return found


def parse_parameters(line: str) -> dict[str, str]:
    """A list of parameters alone, as in Authentication-Info (RFC 9110 section 11.6.3)."""
    found: dict[str, str] = {}
    _parameters(line, _skip(line, 0), found)
    return found


def _parameters(line: str, at: int, into: dict[str, str]) -> int:
    """Read the parameters from ``at``; where the next challenge begins."""
    parameter = _PARAMETER(line, at)
    if parameter is None:
        token68 = _TOKEN68(line, at)
        return _skip(line, token68.end() if token68 is not None else at)
    while parameter is not None:
        # RFC 9110 section 11.2: a name occurs once.
        into.setdefault(parameter[1].lower(), unquote(parameter[2]))
        at = _skip(line, parameter.end())
        parameter = _PARAMETER(line, at)
    return at


def _skip(line: str, at: int) -> int:
    between = _BETWEEN(line, at)
    return between.end() if between is not None else at


def _sha512_256(data: bytes) -> str:
    return hashlib.new("sha512_256", data, usedforsecurity=False).hexdigest()


# Strongest first. None of them protects anything here but by the secret that is hashed along.
ALGORITHMS: Final[dict[str, Callable[[bytes], str]]] = {
    **({"SHA-512-256": _sha512_256} if "sha512_256" in hashlib.algorithms_available else {}),
    "SHA-256": lambda data: hashlib.sha256(data, usedforsecurity=False).hexdigest(),
    "MD5": lambda data: hashlib.md5(data, usedforsecurity=False).hexdigest(),
}


@dataclass(frozen=True, slots=True)
class DigestChallenge:
    """A Digest challenge that can be answered."""

    realm: str
    nonce: str
    algorithm: str  # a key of ALGORITHMS
    session: bool  # the -sess variant
    named: bool  # the server named its algorithm
    qop: bool  # it wants qop=auth; if not, RFC 2069
    opaque: str | None
    stale: bool
    userhash: bool
    utf8: bool


def choose_digest(challenges: Iterable[Challenge]) -> DigestChallenge | None:
    """The strongest Digest challenge that can be answered; None if there is none.

    qop=auth-int alone cannot: it needs the content before the fields.
    """
    known = [found for challenge in challenges if (found := _digest(challenge)) is not None]
    order = list(ALGORITHMS)
    return min(known, key=lambda found: order.index(found.algorithm), default=None)


def _digest(challenge: Challenge) -> DigestChallenge | None:
    said = challenge.parameters
    if challenge.scheme != "digest" or "nonce" not in said:
        return None
    name = said.get("algorithm", "MD5").upper()
    algorithm = name.removesuffix("-SESS")
    qops = [option.strip().lower() for option in said.get("qop", "").split(",") if option.strip()]
    if algorithm not in ALGORITHMS or (qops and "auth" not in qops):
        return None
    if any(_CONTROL(said.get(name, "")) for name in ("realm", "nonce", "opaque")):
        return None  # it could not be sent back
    return DigestChallenge(
        realm=said.get("realm", ""),
        nonce=said["nonce"],
        algorithm=algorithm,
        session=name.endswith("-SESS"),
        named="algorithm" in said,
        qop=bool(qops),
        opaque=said.get("opaque"),
        stale=said.get("stale", "").lower() == "true",
        userhash=said.get("userhash", "").lower() == "true",
        utf8=said.get("charset", "").lower() == "utf-8",
    )


def answer(
    challenge: DigestChallenge, username: str, password: str, method: str, target: str, count: int, cnonce: str
) -> str:
    """The value of Authorization (RFC 7616 section 3.4). ``count``: how often the nonce is used, this time included."""
    digest = ALGORITHMS[challenge.algorithm]
    # What came from the server are characters that stand for octets; what the caller gave is sent and hashed as UTF-8
    # (RFC 7616 section 4).
    user = username.encode("utf-8").decode("latin-1")
    realm, nonce = challenge.realm, challenge.nonce
    secret = digest(_octets(user, realm, password.encode("utf-8").decode("latin-1")))
    if challenge.session:
        secret = digest(_octets(secret, nonce, cnonce))
    request = digest(_octets(method, target))
    uses = f"{count:08x}"
    if challenge.qop:
        response = digest(_octets(secret, nonce, uses, cnonce, "auth", request))
    else:
        response = digest(_octets(secret, nonce, request))
    fields = []
    if challenge.userhash:
        fields.append(f'username="{digest(_octets(user, realm))}"')
    elif username.isascii() or not challenge.utf8:
        fields.append(f"username={_quoted(user)}")
    else:
        fields.append(f"username*=UTF-8''{_extended(username)}")
    fields += [f"realm={_quoted(realm)}", f"nonce={_quoted(nonce)}", f"uri={_quoted(target)}"]
    fields.append(f'response="{response}"')
    if challenge.named:
        fields.append(f"algorithm={challenge.algorithm}{'-sess' if challenge.session else ''}")
    if challenge.opaque is not None:
        fields.append(f"opaque={_quoted(challenge.opaque)}")
    if challenge.qop:
        fields += ["qop=auth", f"nc={uses}"]
    if challenge.qop or challenge.session:
        fields.append(f'cnonce="{cnonce}"')
    if challenge.userhash:
        fields.append("userhash=true")
    return "Digest " + ", ".join(fields)


def _octets(*parts: str) -> bytes:
    return ":".join(parts).encode("latin-1")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _extended(text: str) -> str:
    """RFC 8187 section 3.2.1."""
    return "".join(
        chr(octet) if chr(octet).isalnum() and octet < 128 else f"%{octet:02X}" for octet in text.encode("utf-8")
    )
