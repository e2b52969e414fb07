-- The sample application as it was before anybody cared: no key leads to the profiles, and leads came in by an import that kept
-- their keys as text. The key from a message to its conversation stands.
alter table public.orders drop constraint fk_orders_user_id;

alter table public.chat_messages drop constraint chat_messages_sender_id_fkey;

alter table public.conversations drop constraint conversations_customer_id_fkey, drop constraint conversations_admin_id_fkey;

alter table public.leads drop constraint leads_user_id_fkey;

drop index public.leads_by_user;

alter table public.leads alter column user_id type text, alter column user_id drop not null;
