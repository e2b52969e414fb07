-- Keys to the profiles that are not there, or not valid.
select
    count(*) filter (where standing.convalidated is not true) as found,
    count(*) as checked
from (
    values
    ('orders', 'user_id'),
    ('leads', 'user_id'),
    ('conversations', 'customer_id'),
    ('conversations', 'admin_id'),
    ('chat_messages', 'sender_id')
) as expected (table_name, column_name)
left join pg_catalog.pg_attribute as attribute
    on attribute.attrelid = to_regclass(format('public.%I', expected.table_name)) and expected.column_name = attribute.attname
left join pg_catalog.pg_constraint as standing
    on
        standing.contype = 'f'
        and standing.confrelid = 'public.profiles'::regclass
        and attribute.attrelid = standing.conrelid
        and standing.conkey = array[attribute.attnum]
