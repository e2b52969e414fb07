-- Gives the leads a key that can refer to the profiles. Rewrites the table under AccessExclusive.
alter table public.leads alter column user_id type uuid using user_id::uuid
