-- Calls what the worker calls for users of source $1, for nobody: raises what is wrong with the source whoever the user is.
select
    pgmend.heal_user($1, null) as healed,
    pgmend.hold_user($1, null) as held,
    pgmend.sweep_users($1, 0) as found_users,
    (select count(*) from pgmend.user_facts($1, '{}')) as facts
