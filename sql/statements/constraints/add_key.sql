-- The text that adds a foreign key. Tables and lists of columns come as the catalog quotes them.
--   $1 table, $2 name, $3 columns, $4 referenced table, $5 its columns, $6 on delete, $7 when it is checked, $8 not valid
-- ShareRowExclusive on both tables; AccessExclusive on the referenced one where keys of partitions become part of it.
select
    concat_ws(
        ' ',
        format(
            'alter table %s add constraint %I foreign key (%s) references %s (%s)',
            $1::text, $2::text, $3::text, $4::text, $5::text
        ),
        format('on delete %s', $6::text),
        case $7::text when 'deferrable' then 'deferrable' when 'deferred' then 'deferrable initially deferred' end,
        case when $8::boolean then 'not valid' end
    ) as text
