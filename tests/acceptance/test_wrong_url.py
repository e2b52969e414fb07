"""Addresses that are not ours: each is refused as a wrong setting, in one line, without its password."""

import pytest

from tests.support.database import Database
from tests.support.process import run_command

OF_OTHER_DRIVERS = ("pgbouncer=true", "connect_timeout=5", "schema=public", "channel_binding=prefer", "sslmode=perhaps")


@pytest.mark.parametrize("parameter", OF_OTHER_DRIVERS)
async def test_parameter_of_another_driver_exits_10(database: Database, parameter: str) -> None:
    """What another driver understands and we do not is a wrong setting, not an unreachable server."""
    status, _, err = await run_command(f"{database.url}&{parameter}", "check", startup_timeout_seconds=0)

    assert (status, err.count("\n")) == (10, 1), err
    assert "PGMEND_DATABASE_URL" in err


@pytest.mark.parametrize(
    "url", ["postgresql://ada:hunter2@[::1/app", "postgresql://ada:hunter2@db:port/app", "mysql://ada:hunter2@db/app"]
)
async def test_address_that_is_none_exits_10_and_is_not_shown(url: str) -> None:
    """A typing error in an address does not put its password on the screen."""
    status, out, err = await run_command(url, "check", startup_timeout_seconds=0)

    assert (status, err.count("\n")) == (10, 1), err
    assert "hunter2" not in out + err
