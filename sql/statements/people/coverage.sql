-- The text of a query that counts users and profiles: $1 users table, $2 its key, $3 profiles table, $4 its key,
-- $5 eligible_when, $6 erased_when. Users are read twice, once to count them and once to find those without a profile.
select
    format(
        $query$
        select
            counted.users,
            counted.erased,
            counted.eligible,
            (select count(*) from %3$s as profile) as profiles,
            (
                select count(*)
                from %1$s as users
                where (%5$s) and not coalesce((%6$s), false)
                    and not exists (select from %3$s as profile where profile.%4$I = users.%2$I)
            ) as missing
        from (
            select
                count(*) as users,
                count(*) filter (where coalesce((%6$s), false)) as erased,
                count(*) filter (where (%5$s) and not coalesce((%6$s), false)) as eligible
            from %1$s as users
        ) as counted
        $query$,
        $1::text::regclass, $2::text, $3::text::regclass, $4::text, $5::text, $6::text
    ) as query
