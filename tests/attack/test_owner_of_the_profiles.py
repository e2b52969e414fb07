"""Whoever owns the profiles table has triggers there, which run with the rights of who attached it."""

import asyncpg
import pytest

from tests.integration.conftest import MakeRole
from tests.support.database import count
from worker.store.connection import Connection


async def test_profiles_of_an_owner_who_is_not_ours_are_not_attached(connection: Connection, make_role: MakeRole) -> None:
    """As with the modes ensure and park: the owner could have code of his own run as the installer."""
    await make_role("shop_owner")
    await connection.execute(
        """
        create table public.members (id uuid primary key); create table public.cards (id uuid primary key);
        alter table public.members owner to shop_owner; alter table public.cards owner to shop_owner
        """
    )

    with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused:
        await connection.execute("select pgmend.attach_source('public.members', 'public.cards')")

    assert "owns" in (refused.value.hint or "")
    assert await count(connection, "pgmend.profile_sources where profiles_table = 'public.cards'::regclass") == 0
