-- Makes the profile of user $1 and its audit row.
with healed as (
    insert into public.profiles (id, name, avatar_url, is_admin, is_online)
    select id, public.display_name(full_name, email), coalesce(profile_picture_url, ''), false, false
    from public.users
    where id = $1::text::uuid and deleted_at is null
    on conflict do nothing
    returning id
)

insert into public.error_logs (error_type, severity, user_id, message, attempt)
select 'MISSING_PROFILE_CREATED', 'info', healed.id::text, 'the missing profile was created', 1
from healed
