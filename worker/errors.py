"""Everything that pgmend refuses, with what happened, the detail, what to do, and the exit status.

PgmendError                     1   a failure that nothing below names
├── SettingsInvalidError       10   a setting has a wrong value
├── ServerUnreachableError     11   no answer at the address
├── AuthenticationFailedError  12   the server refused the login
├── PrivilegeMissingError      13   the role may not do what is needed
├── NotMigratedError           14   the schema is missing or older than the worker
├── SchemaNewerError           15   the schema is newer than the worker
├── ServerTooOldError          16   the server is older than Postgres 14
├── MigrationDriftError        17   an applied migration differs from the file
├── ErrorLogsShapeError        18   a table error_logs of another shape exists
├── EventsPendingError         19   an uninstall or a detach would drop captured rows
├── GracePeriodExceededError   20   the graceful stop took too long; what was open was rolled back
├── WorkerNotSeenError         21   no worker has been seen alive lately
├── NoSuchSourceError          22   there is no such profile source
├── SourceUnclearError         24   it is not clear which tables, or which source, are meant
├── RecipeUndecidedError       25   the recipe has columns that a person has to decide
├── SourceRefusedError         26   what is to be attached cannot work as it is
├── NameUnknownError           30   a table, column, role or repair named on the command line is not there
├── PeopleUnknownError         31   nothing is attached, and nobody said where users and profiles are
├── ConditionRefusedError      32   the server refuses a condition on users
├── OrphansRemainError         38   rows that lead nowhere keep a foreign key from being valid
├── ReferenceRefusedError      39   a reference cannot become a foreign key as things are
├── LockNotGrantedError        40   others held a lock for too long
├── ServerUnfitError           41   a standby or another server that takes no writes, or a transaction pooler
├── OwnerNeededError           42   the tables belong to another role, or a right on them is missing
├── AddressUnavailableError    43   probes and metrics cannot be served on the address
├── SourcePausedError          44   the source is paused: nothing is made until a person resumes it
├── NoSuchEventError           45   there is no such event, or no such dead letter
├── ConfirmationNeededError    46   more than one would go, or nobody can be asked, and nobody said --yes
├── UnknownUserError           47   no source knows such a user
├── HealingRefusedError        48   the database refuses profiles that the recipe builds
├── OrphansRefusedError        33   orphans stay, because the application's own rules refuse what was to be done
├── RepairBusyError            34   somebody else is at work on the run, or holds locks for too long
├── TriggerInterferedError     35   a trigger does more to the rows, or less, than was written down; nothing was changed
├── RepairRefusedError         36   what is asked for cannot be done safely; nothing was changed
└── RestoreRefusedError        37   rows stay in the quarantine, because the present contradicts them
"""

from typing import ClassVar


class PgmendError(Exception):
    """The root. ``str()`` is one line: what happened, the detail, and after an arrow what to do."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, detail: str = "", hint: str = "") -> None:
        """Keep the three parts apart, for logs and for people."""
        super().__init__(what)
        self.what = what
        self.detail = detail
        self.hint = hint

    def __str__(self) -> str:
        """Return the one line that a person reads."""
        detail = f": {self.detail}" if self.detail else ""
        hint = f" -> {self.hint}" if self.hint else ""
        return f"{self.what}{detail}{hint}".replace("\n", " ")


class SettingsInvalidError(PgmendError):
    """A setting has a wrong value."""

    exit_code = 10


class ServerUnreachableError(PgmendError):
    """No answer at the address."""

    exit_code = 11


class AuthenticationFailedError(PgmendError):
    """The server refused the login."""

    exit_code = 12


class PrivilegeMissingError(PgmendError):
    """The role may not do what is needed."""

    exit_code = 13


class NotMigratedError(PgmendError):
    """The schema is missing, or older than this worker."""

    exit_code = 14


class SchemaNewerError(PgmendError):
    """The schema is newer than this worker."""

    exit_code = 15


class ServerTooOldError(PgmendError):
    """The server is older than the oldest supported Postgres."""

    exit_code = 16


class MigrationDriftError(PgmendError):
    """A migration was applied from a file that reads differently now."""

    exit_code = 17


class ErrorLogsShapeError(PgmendError):
    """A table of the audit table's name exists in another shape."""

    exit_code = 18


class EventsPendingError(PgmendError):
    """An uninstall or a detach would drop events that are not settled."""

    exit_code = 19


class GracePeriodExceededError(PgmendError):
    """The graceful stop did not finish in time; open transactions were rolled back, nothing is lost."""

    exit_code = 20


class WorkerNotSeenError(PgmendError):
    """No worker has been seen alive lately."""

    exit_code = 21


class NoSuchSourceError(PgmendError):
    """There is no profile source of that id."""

    exit_code = 22


class SourceUnclearError(PgmendError):
    """It is not clear which tables, or which source, are meant: the candidates, and the option that says it."""

    exit_code = 24


class RecipeUndecidedError(PgmendError):
    """The recipe has columns that only a person can decide."""

    exit_code = 25


class SourceRefusedError(PgmendError):
    """What is to be attached cannot work as it is."""

    exit_code = 26


class NameUnknownError(PgmendError):
    """A table, a column, a role or a repair that was named on the command line is not there."""

    exit_code = 30


class PeopleUnknownError(PgmendError):
    """Nothing is attached, and nobody said where users and profiles are."""

    exit_code = 31


class ConditionRefusedError(PgmendError):
    """The server refuses a condition on users."""

    exit_code = 32


class OrphansRemainError(PgmendError):
    """Rows that lead nowhere keep a foreign key from being made or validated."""

    exit_code = 38


class ReferenceRefusedError(PgmendError):
    """A reference that cannot become a foreign key as things are, or that does not exist."""

    exit_code = 39


class LockNotGrantedError(PgmendError):
    """Others held a lock for too long; what was done before stands."""

    exit_code = 40


class ServerUnfitError(PgmendError):
    """A standby or another server that takes no writes, or a transaction pooler: a session on the primary is needed."""

    exit_code = 41


class OwnerNeededError(PgmendError):
    """The tables belong to another role, or a right on them is missing."""

    exit_code = 42


class AddressUnavailableError(PgmendError):
    """Probes, metrics and the page cannot be served where they should be."""

    exit_code = 43


class OrphansRefusedError(PgmendError):
    """Orphans stay where they are: a constraint or trigger of the application refuses what was to be done with them."""

    exit_code = 33


class RepairBusyError(PgmendError):
    """Somebody else is at work on the run, or holds locks for too long."""

    exit_code = 34


class TriggerInterferedError(PgmendError):
    """A trigger does more to the rows, or less, than was written down."""

    exit_code = 35


class RepairRefusedError(PgmendError):
    """What is asked for cannot be done safely."""

    exit_code = 36


class RestoreRefusedError(PgmendError):
    """Rows stay in the quarantine: the present contradicts them."""

    exit_code = 37


class SourcePausedError(PgmendError):
    """A profile source is paused; nothing is made until a person resumes it."""

    exit_code = 44


class NoSuchEventError(PgmendError):
    """There is no event, or no dead letter, of that id."""

    exit_code = 45


class ConfirmationNeededError(PgmendError):
    """More than one dead letter would go, or nobody can be asked; nothing was changed."""

    exit_code = 46


class UnknownUserError(PgmendError):
    """No profile source knows a user of that key."""

    exit_code = 47


class HealingRefusedError(PgmendError):
    """The database refuses profiles that the recipe builds; what could be made stands."""

    exit_code = 48
