alter table public.leads alter column user_id type uuid using user_id::uuid
