-- Claims $1 sign-ups, makes their profiles, writes the same audit rows, deletes the events. No splitting around a row that fails,
-- no verdicts, no other application than this one.
with claimed as (
    delete from pgmend.express_events as event
    where event.event_id = any(array(
        select next.event_id
        from pgmend.express_events as next
        order by next.event_id
        limit $1
        for update skip locked
    ))
    returning event.event_id, event.source_id, event.user_key, event.created_at, event.correlation_id
),

healed as (
    insert into public.profiles (id, name, avatar_url, is_admin, is_online)
    select
        users.id, public.display_name(users.full_name, users.email), coalesce(users.profile_picture_url, ''), false, false
    from claimed
    inner join public.users as users on users.id = claimed.user_key::uuid
    where users.deleted_at is null
    on conflict do nothing
    returning id
),

audited as (
    insert into public.error_logs
        (error_type, severity, user_id, message, details, attempt, event_id, correlation_id)
    select
        'MISSING_PROFILE_CREATED', 'info', claimed.user_key, 'the missing profile was created',
        jsonb_build_object(
            'source_id', claimed.source_id, 'lane', 'express',
            'waited_ms', round(extract(epoch from clock_timestamp() - claimed.created_at) * 1000)
        ),
        1, claimed.event_id, claimed.correlation_id
    from claimed
    inner join healed on healed.id = claimed.user_key::uuid
)

select count(*) from claimed
