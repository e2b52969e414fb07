-- Calls what the worker calls for users of source $1, for nobody: raises what is wrong with the source whoever the user is. To
-- count takes long; it is only looked whether that function is there.
select
    pgmend.heal_user($1, null) as healed,
    pgmend.hold_user($1, null) as held,
    pgmend.sweep_users($1, 0) as found_users,
    (select count(*) from pgmend.user_facts($1, '{}')) as facts,
    pg_catalog.has_function_privilege(pg_catalog.format('pgmend.count_%s()', $1::text), 'execute') as may_count
