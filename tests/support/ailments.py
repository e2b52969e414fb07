"""What can go wrong with an installation, as SQL that causes it, by the check of the doctor that finds it."""

APPLICATION_TRIGGER = """
    create function public.handle_new_user() returns trigger language plpgsql {options} as $$
    begin
        insert into public.profiles (id, name) values (new.id, 'new') on conflict do nothing;
        return new;
    {handler} end $$;
    create trigger on_user_created after insert on public.users for each row execute function public.handle_new_user();
"""
PINNED = "security definer set search_path = ''"

_TRIGGER_OF_ANOTHER = """
    create or replace trigger pgmend_capture_sign_up_1 after insert on public.users
    for each row execute function public.resume_conversations()
"""
_TRIGGER_WITH_CONDITION = """
    create or replace trigger pgmend_capture_sign_up_1 after insert on public.users
    for each row when (new.email is not null) execute function pgmend.capture_sign_up_1()
"""
_EMPTY_FUNCTION = """
    create or replace function pgmend.capture_sign_up_1() returns trigger language plpgsql security definer as
    $$ begin return null; end $$
"""
_OTHER_KEY_TYPE = """
    alter table public.profiles drop constraint profiles_id_fkey;
    alter table public.users alter id drop default, alter id type text
"""
_DISABLED_SIGN_UP = f"""
    {APPLICATION_TRIGGER.format(options=PINNED, handler="")}
    alter table public.users disable trigger on_user_created
"""
_SWALLOWED = APPLICATION_TRIGGER.format(options=PINNED, handler="exception when others then raise warning 'oh'; return new;")
_UNGUARDED = """
    select pgmend.guard('public.conversations', 'conversations_admin_id_fkey');
    select pgmend.unguard('public.orders', 'fk_orders_user_id')
"""
_ENSURED = "select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure');"
_ENSURED_WITHOUT_TRIGGER = f"""
    {_ENSURED}
    do $$ begin execute (
        select format('drop trigger %I on public.orders', tgname)
        from pg_trigger where tgrelid = 'public.orders'::regclass and not tgisinternal
    ); end $$
"""
_REPLAYED_BY_A_FUNCTION = """
    create function public.replay_order(image jsonb) returns void language sql as $$ select $$;
    select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'ensure', replay_function => 'public.replay_order(jsonb)');
    alter table public.orders disable trigger user
"""
_PARKED = "select pgmend.guard('public.orders', 'fk_orders_user_id', mode => 'park');"
_NOT_VALID = """
    alter table public.orders drop constraint fk_orders_user_id;
    alter table public.orders add constraint fk_orders_user_id foreign key (user_id) references public.profiles (id) not valid
"""
_DEAD_LETTER = """
    insert into pgmend.dead_letters (event_id, source_id, kind, user_key, verdict, message, hint)
    values (1, 1, 'user_created', 'x', 'needs_recipe', 'no', 'Change the recipe.')
"""
OLD_EVENT = """
    insert into pgmend.express_events (source_id, user_key, created_at)
    values (1, gen_random_uuid()::text, now() - interval '1 hour')
"""
_PROFILES_BY_A_FUNCTION = """
    create function public.make_profile(key uuid) returns void language plpgsql as $$ begin {body} end $$;
    select pgmend.attach_source('public.users', 'public.profiles', recipe_function => 'public.make_profile(uuid)');
    insert into public.users (id, email) values (gen_random_uuid(), 'a@b')
"""

BROKEN_AND_MENDED = [
    ("sign_up_trigger_missing", "drop trigger pgmend_capture_sign_up_1 on public.users"),
    ("sign_up_trigger_disabled", "alter table public.users disable trigger pgmend_capture_sign_up_1"),
    ("sign_up_trigger_disabled", "alter table public.users enable replica trigger pgmend_capture_sign_up_1"),
    ("sign_up_trigger_repointed", _TRIGGER_OF_ANOTHER),
    ("sign_up_trigger_repointed", _TRIGGER_WITH_CONDITION),
    ("sign_up_function_invoker", "alter function pgmend.capture_sign_up_1() security invoker"),
    ("sign_up_function_altered", _EMPTY_FUNCTION),
    ("source_functions_missing", "drop function pgmend.sweep_1(integer)"),
    ("key_type_changed", _OTHER_KEY_TYPE),
    ("source_paused", "select pgmend.pause_source(1, 'a bad migration')"),
    ("source_table_gone", "drop table public.profiles cascade"),
    ("application_trigger_disabled", _DISABLED_SIGN_UP),
    ("application_trigger_invoker", APPLICATION_TRIGGER.format(options="set search_path = ''", handler="")),
    ("application_trigger_path", APPLICATION_TRIGGER.format(options="security definer", handler="")),
    ("application_trigger_swallows", _SWALLOWED),
    ("profile_trigger_path", "alter function public.resume_conversations() reset search_path"),
    ("key_not_guarded", _UNGUARDED),
    ("guard_without_key", "alter table public.leads rename constraint leads_user_id_fkey to leads_of_user"),
    ("guard_without_key", "drop table public.leads"),
    ("guard_trigger_missing", _ENSURED_WITHOUT_TRIGGER),
    ("guard_trigger_disabled", f"{_ENSURED} alter table public.orders disable trigger user"),
    ("guard_trigger_disabled", _REPLAYED_BY_A_FUNCTION),
    ("guard_trigger_missing", f"{_PARKED} drop function pgmend.find_missing_2() cascade"),
    ("guard_trigger_disabled", f'{_PARKED} alter table public.orders disable trigger " PGMEND_park_2_finds"'),
    ("key_not_valid", _NOT_VALID),
    ("key_without_index", "create index on public.conversations (admin_id); drop index public.orders_by_user"),
    ("key_twice", "alter table public.orders add constraint again foreign key (user_id) references public.profiles (id)"),
    ("audit_open", "grant select (user_id) on public.error_logs to public"),
    ("open_to_outsiders", "grant select on pgmend.outbox to public"),
    ("open_to_outsiders", "grant usage on schema pgmend to public"),
    ("open_to_outsiders", "grant update on sequence pgmend.event_ids to public"),
    ("open_to_outsiders", "grant execute on function pgmend.requeue(bigint[]) to public"),
    ("dead_letters_waiting", _DEAD_LETTER),
]
"""Each check with what causes its condition: what the finding prints ends it."""

BROKEN = [
    ("nothing_attached", "delete from pgmend.profile_sources", "it is empty"),
    ("source_column_gone", "alter table public.profiles rename avatar_url to picture", "public.profiles.avatar_url"),
    ("source_column_gone", "alter table public.users rename id to user_id", "public.users.id"),
    ("recipe_lacks_column", "alter table public.profiles add username text not null", "username"),
    ("audit_unreachable", "drop view pgmend.audit_entries", "is gone"),
    ("events_overdue", OLD_EVENT, "the oldest has been due for 3,6"),
    ("migrations_pending", "delete from pgmend.migrations where version > 3", "the first 0004_"),
    ("schema_newer", "insert into pgmend.migrations (version, name, sha256) values (9999, '9999_later', 'x')", "9999"),
    ("migration_drift", "update pgmend.migrations set sha256 = 'other' where version = 1", "0001_schema"),
]
"""Each check with what causes its condition, and what it says. What mends it is a command, or wants a name from a person."""

OF_A_FUNCTION = [
    ("recipe_makes_nothing", _PROFILES_BY_A_FUNCTION.format(body="null;")),
    ("recipe_refused", _PROFILES_BY_A_FUNCTION.format(body="insert into public.profiles (id) values (key);")),
    ("recipe_refused", _PROFILES_BY_A_FUNCTION.format(body="raise exception 'no';")),
]
"""What is wrong with a function that makes profiles. The SQL that is printed names the function; only a person can mend it."""
