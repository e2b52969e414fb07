"""What can go wrong with the private Postgres.

EmbeddedError
├── BinariesMissingError   no Postgres of the wanted major on this machine
├── FetchError             its binaries could not be downloaded
└── StartError             the server was not created, or did not come up
"""


class EmbeddedError(Exception):
    """The root: says what happened, then a detail of the cause, then what to do."""

    def __init__(self, message: str, *, detail: str = "", hint: str = "") -> None:
        """Keep the three parts apart, so that a caller can show them its own way."""
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        parts = [self.message, self.detail, f"hint: {self.hint}" if self.hint else ""]
        return "\n".join(part for part in parts if part)


class BinariesMissingError(EmbeddedError):
    """No Postgres of the wanted major on this machine."""


class FetchError(EmbeddedError):
    """The binaries could not be downloaded, or are not what was expected."""


class StartError(EmbeddedError):
    """The server was not created, or did not come up."""
