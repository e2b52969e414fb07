-- The query that finds up to $2 eligible users of each kind without profile of source $1, among the first 200 of the kind. The
-- recipe can be tried for them. A kind is a condition over columns that the users table has: no e-mail, anonymous, a phone alone;
-- the others are ordinary. Written here and run as it is, like the one that counts the absences.
with source as (
    select
        configured.source_id, configured.users_table, configured.users_key, configured.profiles_table, configured.profiles_key,
        array(
            select attribute.attname::text
            from pg_catalog.pg_attribute as attribute
            where
                attribute.attrelid = configured.users_table
                and not attribute.attisdropped
                and (
                    attribute.attname in ('email', 'phone')
                    or attribute.attname = 'is_anonymous' and attribute.atttypid = 'boolean'::regtype
                )
        ) as columns
    from pgmend.profile_sources as configured
    where configured.source_id = $1
),

kinds (name, condition, needs) as (
    values
    ('an anonymous user', 'coalesce(users.is_anonymous, false)', array['is_anonymous']),
    (
        'a user with a phone alone',
        'coalesce(users.email::text, '''') = '''' and coalesce(users.phone::text, '''') <> ''''',
        array['email', 'phone']
    ),
    ('a user without e-mail', 'coalesce(users.email::text, '''') = ''''', array['email'])
),

present_kinds as (
    select source.source_id, kinds.name, kinds.condition
    from source
    inner join kinds on source.columns @> kinds.needs
),

asked as (
    select present_kinds.source_id, present_kinds.name, present_kinds.condition
    from present_kinds
    union all
    select
        source.source_id, 'an ordinary user',
        coalesce(
            (
                select format('not (%s)', string_agg(format('(%s)', present_kinds.condition), ' or '))
                from present_kinds
            ),
            'true'
        )
    from source
)

select
    string_agg(
        format(
            $query$(
                select %6$L as kind, facts.user_key
                from pgmend.user_facts(
                    %1$s,
                    array(
                        select users.%3$I::text
                        from %2$s as users
                        where %7$s and not exists (select from %4$s as profile where profile.%5$I = users.%3$I)
                        limit 200
                    )
                ) as facts
                where facts.user_state = 'eligible' and not facts.profile_exists
                limit %8$s
            )$query$,
            source.source_id, source.users_table, source.users_key, source.profiles_table, source.profiles_key,
            asked.name, asked.condition, $2::integer
        ),
        ' union all '
    ) as query
from source
inner join asked on source.source_id = asked.source_id
