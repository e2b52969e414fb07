-- What is so about some users of one source.
select user_key, user_state, profile_exists, known_before
from pgmend.user_facts($1, $2::text[])
