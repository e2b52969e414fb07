"""Other ways to notice a sign-up, as statements that replace our trigger in the sample application."""

OUTBOX_CHANNEL = "sign_ups"

NO_TRIGGER = "drop trigger pgmend_capture_sign_up_1 on public.users;"

INLINE_PROFILE = f"""{NO_TRIGGER}
create function public.make_profile() returns trigger language plpgsql as $$
begin
    insert into public.profiles (id, name, avatar_url, is_admin, is_online)
    values (
        new.id, public.display_name(new.full_name, new.email), coalesce(new.profile_picture_url, ''), false, false
    );
    return null;
end $$;
create trigger users_make_profile after insert on public.users for each row execute function public.make_profile();
"""

_PLAIN_OUTBOX = f"""{NO_TRIGGER}
create table public.plain_outbox (like pgmend.express_events including defaults including indexes);
create function public.record_sign_up() returns trigger language plpgsql as $$
begin
    insert into public.plain_outbox (source_id, user_key)
    values (1, new.id::text);
    %s
    return null;
end $$;
create trigger users_record_sign_up after insert on public.users for each row execute function public.record_sign_up();
"""

OUTBOX = _PLAIN_OUTBOX % ""

OUTBOX_NOTIFY = _PLAIN_OUTBOX % f"perform pg_notify('{OUTBOX_CHANNEL}', '');"
