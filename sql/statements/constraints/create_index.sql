-- The text that makes the index $2 on the columns $3 of the table $1: concurrently, or ($4) on a partitioned table alone.
select
    case
        when $4::boolean then format('create index %I on only %s (%s)', (parse_ident($2::text))[2], $1::text, $3::text)
        else format('create index concurrently %I on %s (%s)', (parse_ident($2::text))[2], $1::text, $3::text)
    end as text
