"""Settings: the only reader of the environment. Checked once at the start, handed down as values, a unit in every name."""

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from worker.core.address import MASK, without_secrets
from worker.core.retention import Keeping
from worker.core.retry_policy import RetryPolicy
from worker.errors import SettingsInvalidError
from worker.store.connection import Target

PREFIX = "PGMEND_"

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Days = Annotated[float, Field(ge=0, le=36_500)]


class Settings(BaseSettings):
    """Everything that can be set, from ``PGMEND_…`` in the environment or in ``.env``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: SecretStr = Field(description="where the database is: postgresql://user:password@host:5432/database")
    listen_url: SecretStr | None = Field(None, description="a direct address for LISTEN, where database_url is a pooler")
    error_logs_table: str = Field(
        "public.error_logs",
        pattern=r"^[a-z_][a-z0-9_$]*\.[a-z_][a-z0-9_$]*$",
        description="the audit table, schema.table",
    )
    consumers: int = Field(1, ge=1, le=32, description="how many outbox consumers one worker runs, each on a connection")
    express_batch_size: int = Field(1000, ge=1, le=10_000, description="sign-ups settled by one express statement")
    careful_batch_size: int = Field(100, ge=1, le=1000, description="events settled in one careful transaction")
    poll_interval_seconds: Seconds = Field(30.0, description="longest wait without a bell")
    deaf_poll_interval_seconds: Seconds = Field(1.0, description="longest wait where LISTEN cannot work")
    heartbeat_interval_seconds: Seconds = Field(5.0, description="how often the listening connection is proven alive")
    heartbeat_timeout_seconds: Seconds = Field(5.0, description="how long a heartbeat may take before the connection is given up")
    lease_seconds: Seconds = Field(2.0, description="how long a busy worker says ahead that it is awake")
    linger_milliseconds: float = Field(5.0, ge=0, le=1000, description="how long an idle worker stays awake before it sleeps")
    sweep_interval_seconds: Seconds = Field(60.0, description="shortest time between two sweeps")
    sweep_batch_size: int = Field(10_000, ge=1, le=1_000_000, description="users that one sweep announces at most")
    sweep_timeout_seconds: Seconds = Field(600.0, description="how long one sweep may take")
    orphan_check_interval_seconds: float = Field(
        86_400.0,
        ge=0,
        le=31_536_000,
        description="how often validated keys are checked for orphans, others with each sweep; 0: none",
    )
    keep_captured_rows_days: Days = Field(
        30.0, description="days after its capture that a row is kept, waiting or dead; 0: for ever"
    )
    keep_dead_letters_days: Days = Field(0.0, description="days that the dead letter of a sign-up is kept; 0: for ever")
    keep_audit_entries_days: Days = Field(365.0, description="days that an audit entry is kept; 0: for ever")
    first_retry_delay_seconds: Seconds = Field(0.2, description="the delay before the second attempt; it doubles from there")
    longest_retry_delay_seconds: Seconds = Field(300.0, description="the longest delay between two attempts")
    most_attempts: int = Field(40, ge=1, le=1000, description="attempts before a passing failure becomes a dead letter")
    connect_timeout_seconds: Seconds = Field(10.0, description="how long one connection attempt may take")
    startup_timeout_seconds: float = Field(10.0, ge=0, le=3600, description="how long to wait at the start for a server")
    statement_timeout_seconds: Seconds = Field(30.0, description="how long one statement of the worker may take")
    lock_timeout_seconds: Seconds = Field(2.0, description="how long the careful lane waits for a lock")
    grace_period_seconds: Seconds = Field(20.0, description="how long a graceful stop may take")
    http_port: int | None = Field(
        None, ge=0, le=65_535, description="where probes, metrics and the page are served; unset: nowhere"
    )
    http_host: str = Field("127.0.0.1", min_length=1, description="the address that they are served on; 0.0.0.0: on every one")
    observe_interval_seconds: Seconds = Field(5.0, description="how often the database is asked for what probes and metrics show")
    observe_timeout_seconds: Seconds = Field(2.0, description="how long that may take")
    ready_outbox_age_seconds: Seconds = Field(300.0, description="how long an event may be due while the worker is called ready")
    ready_debt_users: int = Field(1000, ge=0, description="how many users may lack their profile for a minute and more, the same")
    ready_debt_age_seconds: float = Field(3600.0, gt=0, le=31_536_000, description="and for how long some user may, the same")
    ready_when_deaf: bool = Field(default=False, description="whether a worker that polls, because it hears no ring, is ready")
    prepared_statements: bool = Field(default=True, description="false behind a pooler that cannot carry prepared statements")
    http_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="who tells it to the page may see captured rows, requeue and discard; without one nobody may",
    )
    http_names: str = Field(
        "",
        pattern=r"^[A-Za-z0-9.\-]*( *, *[A-Za-z0-9.\-]+)*$",
        description="host names that the page answers to, beside localhost and addresses; separated by commas",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="the least severe line that is written")
    log_format: Literal["auto", "json", "console"] = Field("auto", description="auto: console on a terminal, else JSON")

    @field_validator("error_logs_table")
    @classmethod
    def _outlives_an_uninstall(cls, value: str) -> str:
        if value.startswith("pgmend."):
            reason = "the schema pgmend goes with an uninstall; the audit table is to stay"
            raise ValueError(reason)
        return value

    @field_validator("database_url", "listen_url")
    @classmethod
    def _is_a_postgres_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("postgres://", "postgresql://")):
            reason = "not a Postgres URL; write postgresql://user:password@host:5432/database"
            raise ValueError(reason)
        return value

    @property
    def target(self) -> Target:
        """Return where the consumers connect."""
        return self._target(self.database_url)

    @property
    def observing_target(self) -> Target:
        """Return where probes and metrics ask: with sessions as the worker has them, to whom a pooler may give one next."""
        return replace(self.target, application_name="pgmend observing", connect_timeout=self.observe_timeout_seconds)

    @property
    def listen_target(self) -> Target:
        """Return where the listener connects."""
        if self.listen_url is None:
            return self.target
        return replace(self._target(self.listen_url), setting=f"{PREFIX}LISTEN_URL")

    @property
    def page_names(self) -> frozenset[str]:
        """Return the host names that the page answers to."""
        return frozenset(name.strip().rstrip(".").lower() for name in self.http_names.split(",") if name.strip())

    @property
    def retry_policy(self) -> RetryPolicy:
        """Return when a released event is due again."""
        return RetryPolicy(self.first_retry_delay_seconds, self.longest_retry_delay_seconds, self.most_attempts)

    @property
    def keeping(self) -> Keeping:
        """Return how long what is kept."""
        return Keeping(self.keep_captured_rows_days, self.keep_dead_letters_days, self.keep_audit_entries_days)

    def masked(self) -> dict[str, object]:
        """Return the effective settings with every secret masked. Of an address that is the password alone."""
        return {name: _masked(name, value) for name, value in self}

    def _target(self, url: SecretStr) -> Target:
        return Target(
            url=url.get_secret_value(),
            connect_timeout=self.connect_timeout_seconds,
            statement_timeout=self.statement_timeout_seconds,
            prepared_statements=self.prepared_statements,
        )


def load(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings, or raise SettingsInvalidError with the first wrong one: name, value, reason, hint."""
    _refuse_unknown_names([*os.environ, *dotenv_values(".env")])
    try:
        return Settings(**(overrides or {}))
    except ValidationError as error:
        raise _explained(error) from None


def _refuse_unknown_names(names: Iterable[str]) -> None:
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for name in names:
        if name.startswith(PREFIX) and name not in known and not name.startswith(f"{PREFIX}TEST_"):
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "pgmend config lists the settings"
            raise SettingsInvalidError(f"there is no setting {name}", hint=hint)


def _explained(error: ValidationError) -> SettingsInvalidError:
    first = error.errors()[0]
    field = str(first["loc"][0])
    name = f"{PREFIX}{field}".upper()
    description = Settings.model_fields[field].description if field in Settings.model_fields else None
    if first["type"] == "missing":
        return SettingsInvalidError(f"{name} is not set", hint=f"it says {description}")
    shown = "(secret)" if field.endswith(("_url", "_token")) else repr(first["input"])
    reason = str(first["msg"]).removeprefix("Value error, ")
    return SettingsInvalidError(f"{name} is wrong", detail=f"{shown}: {reason}", hint=f"it says {description}")


def _masked(name: str, value: object) -> object:
    if not isinstance(value, SecretStr):
        return value
    return without_secrets(value.get_secret_value()) if name.endswith("_url") else MASK
