-- The query that finds up to $2 eligible users of each kind without profile of source $1, among the first 200 of the kind. The
-- recipe can be tried for them. A kind is a condition over columns that the users table has: anonymous, a phone alone, no e-mail;
-- the first that fits is a user's kind, and the others are ordinary. Written here and run as it is, like the one that counts the
-- absences.
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

kinds (place, name, condition, needs) as (
    values
    (1, 'an anonymous user', 'coalesce(users.is_anonymous, false)', array['is_anonymous']),
    (
        2,
        'a user with a phone alone',
        'coalesce(users.email::text, '''') = '''' and coalesce(users.phone::text, '''') <> ''''',
        array['email', 'phone']
    ),
    (3, 'a user without e-mail', 'coalesce(users.email::text, '''') = ''''', array['email']),
    (4, 'an ordinary user', 'true', array[]::text[])
),

present_kinds as (
    select source.source_id, kinds.place, kinds.name, kinds.condition
    from source
    inner join kinds on source.columns @> kinds.needs
),

asked as (
    select
        present_kinds.source_id, present_kinds.place, present_kinds.name,
        concat_ws(
            ' and not ', format('(%s)', present_kinds.condition),
            string_agg('(' || earlier.condition || ')', ' and not ' order by earlier.place)
        ) as condition
    from present_kinds
    left join present_kinds as earlier on present_kinds.place > earlier.place
    group by present_kinds.source_id, present_kinds.place, present_kinds.name, present_kinds.condition
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
        ' union all ' order by asked.place
    ) as query
from source
inner join asked on source.source_id = asked.source_id
