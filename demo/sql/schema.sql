-- The demo's own memory, beside the sample application: what the clients did and were told, and who made each profile.
-- Filled by the clients of the storm, never by pgmend: the invariants compare these promises with the facts.
create schema demo;

-- One call of a client and the answer it got. receipt: the event id that it was given; row_id: the conversation it was given.
create table demo.intents (
    intent_id bigint not null,
    act text not null,
    moment text not null,
    user_id uuid not null,
    answer text not null,
    receipt bigint,
    row_id uuid,
    sqlstate text,
    constraint intents_pkey primary key (intent_id),
    constraint intents_act_is_known check (
        act in ('sign_up', 'own_profile', 'conversation', 'order', 'lead', 'message', 'erasure')
    ),
    constraint intents_answer_is_known check (answer in ('stored', 'parked', 'collided', 'raised'))
);

-- Every key that the clients used, and what has to become of it in the end.
create table demo.people (
    user_id uuid not null,
    fate text not null,
    constraint people_pkey primary key (user_id),
    constraint people_fate_is_known check (
        fate in ('whole', 'needs_recipe', 'unknown', 'erased_hard', 'erased_soft')
    )
);

-- A witness: every profile that was ever inserted and committed, and by whom.
create table demo.profiles_made (
    user_id uuid not null,
    made_by text not null
);

create function demo.witness_profile()
returns trigger
language plpgsql
security definer
set search_path = ''
as $function$
begin
    insert into demo.profiles_made (user_id, made_by)
    values (new.id, case when current_setting('application_name') = 'pgmend' then 'worker' else 'application' end);
    return null;
end
$function$;

create trigger profiles_are_witnessed
after insert on public.profiles
for each row execute function demo.witness_profile();

-- The rows that stand, by the intent that wrote them: an order carries it in cents, a lead and a message in their text.
create view demo.stored_inserts as
select (placed.amount * 100)::bigint as intent_id, placed.user_id
from public.orders as placed
union all
select split_part(lead.source, ' ', 2)::bigint, lead.user_id
from public.leads as lead
union all
select split_part(sent.content, ' ', 2)::bigint, sent.sender_id
from public.chat_messages as sent
where sent.kind = 'message';
