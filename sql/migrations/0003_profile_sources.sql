-- Where users come from, where their profiles go, and the recipe between the two.
-- recipe: {"column of the profiles table": "SQL expression over the users row, which is called users"}; names in it are
-- schema-qualified, because it runs with a search_path of pg_catalog alone.
-- recipe_function: in place of a recipe, the application's own function, called with the key of one user; it makes the profile,
-- and whatever belongs to it.
-- paused_at: no profile is made and nothing is replayed until a person resumes the source; captures go on. A sweep pauses a
-- source that it finds in a state nobody expected, once it is armed: once all users were whole since a person last decided.
-- resumed_at: when a person last let it go on, and so decided about all there was by then.
create table if not exists pgmend.profile_sources (
    source_id integer generated always as identity,
    users_table regclass not null,
    users_key name not null,
    profiles_table regclass not null,
    profiles_key name not null,
    recipe jsonb not null,
    recipe_function text,
    eligible_when text not null default 'true',
    erased_when text not null default 'false',
    attached_at timestamptz not null default now(),
    is_armed boolean not null default false,
    paused_at timestamptz,
    paused_because text,
    resumed_at timestamptz,
    constraint profile_sources_pkey primary key (source_id),
    constraint profile_sources_pair_is_attached_once unique (users_table, profiles_table),
    constraint profile_sources_recipe_is_an_object check (jsonb_typeof(recipe) = 'object'),
    constraint profile_sources_has_one_recipe check (recipe_function is null or recipe = '{}')
);
