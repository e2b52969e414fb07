-- Whether this role may make a profile, as the worker may and an operator may not.
select has_function_privilege('pgmend.heal_user(integer, text)', 'execute')
