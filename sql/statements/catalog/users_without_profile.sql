-- How many users have no profile and should have one, counted no further than $7.
select pgmend.users_without_profile(
    $1::text::regclass, $2::text::name, $3::text::regclass, $4::text::name, $5::text, $6::text, $7
)
