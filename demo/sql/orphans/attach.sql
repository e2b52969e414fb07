-- Says who is to have a profile, and how one is made: all that pgmend has to be told. Guests have no e-mail, and none.
select
    pgmend.attach_source(
        users_table => 'public.users',
        profiles_table => 'public.profiles',
        recipe => '{"name": "public.display_name(users.full_name, users.email)"}',
        eligible_when => 'users.email is not null',
        erased_when => 'users.deleted_at is not null'
    );
