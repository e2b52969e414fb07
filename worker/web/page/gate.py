"""The gate: who has signed in, and which forms are theirs.

The token is told once, in the sign-in form; the browser keeps a sealed cookie that is not the token and cannot be turned into it.
Without a configured token there is no gate, and the page has no form that changes anything.
"""

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from worker.web.page.seal import Seal, seal_of
from worker.web.page.throttle import Throttle

SESSION_SECONDS = 8 * 3600
FORM_SECONDS = 900

_MOST_REMEMBERED = 10_000

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser: a number that no other has, and what the person calls themselves."""

    number: str
    name: str


@dataclass(slots=True)
class Gate:
    """``clock`` gives seconds since the epoch."""

    token: str = field(repr=False)
    clock: Clock
    throttle: Throttle = field(default_factory=Throttle)
    _seal: Seal = field(init=False, repr=False)
    _used: OrderedDict[str, None] = field(default_factory=OrderedDict, init=False)
    _signed_out: OrderedDict[str, None] = field(default_factory=OrderedDict, init=False)

    def __post_init__(self) -> None:
        self._seal = seal_of(self.token)

    def is_token(self, text: str) -> bool:
        """Return whether this is the token, in the same time for every answer."""
        return hmac.compare_digest(text.encode(), self.token.encode())

    def cookie(self, name: str) -> str:
        """Return the cookie of a new session."""
        return self._seal.close("session", f"{secrets.token_urlsafe(12)} {name}", until=self.clock() + SESSION_SECONDS)

    def session(self, cookie: str | None) -> Session | None:
        """Return the session of a cookie, or None where nobody has signed in."""
        content = self._seal.open("session", cookie or "", now=self.clock())
        if content is None:
            return None
        number, _, name = content.partition(" ")
        return None if number in self._signed_out else Session(number, name)

    def sign_out(self, session: Session | None) -> None:
        """End a session, whoever keeps its cookie; in this worker."""
        if session is not None:
            _remember(session.number, self._signed_out)

    def form(self, action: str, session: Session | None) -> str:
        """Return the hidden field of one form: for one action, one session, one use."""
        return self._seal.close(_purpose(action, session), secrets.token_urlsafe(12), until=self.clock() + FORM_SECONDS)

    def accepts(self, form: str, action: str, session: Session | None) -> bool:
        """Return whether the form is ours, for this action and session, fresh, and sent for the first time."""
        number = self._seal.open(_purpose(action, session), form, now=self.clock())
        if number is None or number in self._used:
            return False
        _remember(number, self._used)
        return True


def _remember(number: str, among: OrderedDict[str, None]) -> None:
    among[number] = None
    while len(among) > _MOST_REMEMBERED:
        among.popitem(last=False)


def _purpose(action: str, session: Session | None) -> str:
    return f"form {action} {session.number if session else ''}"
