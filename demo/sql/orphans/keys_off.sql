-- Takes off what stands against orphans: the keys, and a type that holds no legacy id.
alter table public.orders drop constraint fk_orders_user_id;
alter table public.chat_messages drop constraint chat_messages_sender_id_fkey;
alter table public.conversations drop constraint conversations_customer_id_fkey, drop constraint conversations_admin_id_fkey;
alter table public.leads drop constraint leads_user_id_fkey, alter column user_id type text
