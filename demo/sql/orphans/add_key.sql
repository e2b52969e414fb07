-- The key of our user's first document.
alter table public.orders add constraint fk_orders_user_id foreign key (user_id) references public.profiles (id) on delete cascade
