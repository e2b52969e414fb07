-- Up to $2 eligible users of source $1 without profile whom somebody has announced: the candidates of a role that may not read
-- the users table.
with announced as (
    select event.user_key
    from pgmend.outbox as event
    where event.source_id = $1 and event.kind = 'user_created'
    union
    select letter.user_key
    from pgmend.dead_letters as letter
    where letter.source_id = $1 and letter.kind = 'user_created'
    limit 200
)

select facts.user_key
from pgmend.user_facts($1, array(select announced.user_key from announced)) as facts
where facts.user_state = 'eligible' and not facts.profile_exists
order by facts.user_key
limit $2
