-- The query that counts the eligible users of source $1 without profile, up to $2, and says when they signed up where the users
-- table knows. Their tables are known by name only, so the query is written here, and run as it is.
-- A sign-up of the last seconds is under way and does not count. Whom the source wants is asked of its own function, and never
-- judged with the rights of this connection.
with source as (
    select
        configured.source_id, configured.users_table, configured.users_key, configured.profiles_table, configured.profiles_key,
        format_type(key.atttypid, -1) as key_type,
        (
            select attribute.attname
            from pg_catalog.pg_attribute as attribute
            where
                attribute.attrelid = configured.users_table
                and not attribute.attisdropped
                and attribute.atttypid in ('timestamp'::regtype, 'timestamptz'::regtype)
                and lower(replace(attribute.attname, '_', '')) in (
                    'createdat', 'created', 'createdon', 'datejoined', 'joinedat', 'insertedat', 'registeredat', 'signedupat'
                )
            order by attribute.attnum
            limit 1
        ) as signed_up_at
    from pgmend.profile_sources as configured
    inner join pg_catalog.pg_attribute as key
        on configured.users_table = key.attrelid and configured.users_key = key.attname
    where configured.source_id = $1
)

select
    format(
        $query$
        select
            count(*) as count,
            min(absent.at)::timestamptz(0)::text as first,
            max(absent.at)::timestamptz(0)::text as last,
            case when %6$L then count(*) filter (where absent.at > now() - interval '1 hour') end as within_the_hour
        from pgmend.user_facts(
            %1$s,
            array(
                select users.%3$I::text from %2$s as users
                where not exists (select from %4$s as profile where profile.%5$I = users.%3$I)
                    and not exists (
                        select from pgmend.outbox as event
                        where event.source_id = %1$s
                            and event.user_key = users.%3$I::text
                            and event.created_at > now() - interval '10 seconds'
                    )
                limit %8$s
            )
        ) as facts
        inner join lateral (
            select %7$s as at from %2$s as users where users.%3$I = facts.user_key::%9$s
        ) as absent on true
        where facts.user_state = 'eligible' and not facts.profile_exists
        $query$,
        source.source_id, source.users_table, source.users_key, source.profiles_table, source.profiles_key,
        source.signed_up_at is not null, coalesce('users.' || quote_ident(source.signed_up_at), 'null::timestamptz'),
        $2::integer, source.key_type
    ) as query
from source
