-- The key that everybody wants, and the server refuses.
alter table public.orders add constraint fk_orders_user_id foreign key (user_id) references public.profiles (id) on delete cascade
