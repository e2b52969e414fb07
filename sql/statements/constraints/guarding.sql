-- Whether the key of $1 to $2 ($3) can be guarded, since it leads to the profiles of one source, and which of its keys are.
select
    (
        select count(*)
        from pgmend.profile_sources as source
        where source.profiles_table = $2::text::regclass and source.profiles_key = any($3::text[])
    ) = 1 as is_guardable,
    array(
        select guard.constraint_name::text
        from pgmend.guarded_constraints as guard
        where guard.referencing_table = $1::text::regclass
    ) as guarded
