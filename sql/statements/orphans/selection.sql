-- The text of a query that finds the orphans of one reference: a row for each, with its place (table_oid, row_ctid), the key that
-- leads nowhere (as text) and the reason why. A key with a null in it refers to nothing, and is no orphan.
--   $1 referencing table, $2 its columns, $3 referenced table, $4 its columns
--   $5 users tables, one for each profile source that makes the profiles in $3, $6 their keys, $7 the column of $2 that holds a
--      user's key, $8 what each says of who is eligible, $9 and of who is erased; empty where the reference is none to users
--   $10 whether the audit may be asked who was there once: whether it tells of a profile, an erasure or a sign-up of theirs
--   $11 whether the query has a row for each key in place of each orphan, and judges it once: key, reason, orphans, first_seen,
--       last_seen, and last_hour and last_day, how many are as young as that
--   $12 the column that says when a row was made; null where none does
-- Reasons: healable (the user is there, only the profile is missing), not_eligible, erased (softly), gone (somebody who was there
-- once), unknown (nobody has heard of the key), mismatched (the profile is there, but the rest of a composite key is not its
-- own), malformed (text that is no value of the referenced type).
-- Text that refers to a uuid or an integer is read as one where it is one, and compared as text with anything else.
with pair as (
    select
        listed.place,
        format('orphan.%I', listed.referencing_column) as given,
        format('present.%I', listed.referenced_column) as wanted,
        format_type(referencing.atttypid, -1) as given_type,
        format_type(referenced.atttypid, -1) as wanted_type,
        listed.referencing_column = $7::text as holds_user
    from unnest($2::text[], $4::text[]) with ordinality as listed (referencing_column, referenced_column, place)
    inner join pg_catalog.pg_attribute as referencing
        on referencing.attrelid = $1::text::regclass and listed.referencing_column = referencing.attname
    inner join pg_catalog.pg_attribute as referenced
        on referenced.attrelid = $3::text::regclass and listed.referenced_column = referenced.attname
),

-- As uuid_in has it: a hyphen may follow any four digits, and braces may stand around it all. White space around it does no harm.
spelling (space, of_uuid, of_integer) as (
    values (
        e' \t\n\r\f\x0B',
        '^([0-9a-fA-F]{4}(-?[0-9a-fA-F]{4}){7}|\{[0-9a-fA-F]{4}(-?[0-9a-fA-F]{4}){7}\})$',
        '^[+-]?[0-9]{1,40}$'
    )
),

compared as (
    select
        pair.place, pair.given, pair.wanted, pair.holds_user,
        case
            when pair.given_type = pair.wanted_type then pair.given
            when pair.given_type in ('text', 'character varying', 'character') and pair.wanted_type = 'uuid'
                then format(
                    'case when btrim(%1$s, %2$L) ~ %3$L then btrim(%1$s, %2$L)::uuid end',
                    pair.given, spelling.space, spelling.of_uuid
                )
            when
                pair.given_type in ('text', 'character varying', 'character')
                and pair.wanted_type in ('smallint', 'integer', 'bigint')
                then format(
                    'case when btrim(%1$s, %2$L) ~ %3$L then case when btrim(%1$s, %2$L)::numeric '
                    'between -9223372036854775808 and 9223372036854775807 then btrim(%1$s, %2$L)::bigint end end',
                    pair.given, spelling.space, spelling.of_integer
                )
            when
                pair.given_type in ('smallint', 'integer', 'bigint')
                and pair.wanted_type in ('smallint', 'integer', 'bigint') then pair.given
            else format('%s::text', pair.given)
        end as read,
        pair.given_type <> pair.wanted_type and pair.wanted_type not in ('uuid', 'smallint', 'integer', 'bigint')
            as is_text
    from pair cross join spelling
),

spelled as (
    select
        string_agg(format('%s is not null', compared.given), ' and ' order by compared.place) as is_given,
        string_agg(
            format('%s%s = %s', compared.wanted, case when compared.is_text then '::text' end, compared.read),
            ' and ' order by compared.place
        ) as is_present,
        string_agg(format('%s is null', compared.read), ' or ' order by compared.place) as is_malformed,
        coalesce(
            max(compared.given) filter (where compared.holds_user),
            'concat_ws('','', ' || string_agg(compared.given, ', ' order by compared.place) || ')'
        ) as key,
        string_agg(compared.given, ', ' order by compared.place) as columns,
        max(compared.read) filter (where compared.holds_user) as user_key,
        max(compared.wanted) filter (where compared.holds_user) as profile_key,
        count(*) > 1 as is_composite
    from compared
),

told as (
    select
        string_agg(
            format(
                '(select case when coalesce((%s), false) then %L when (%s) then %L else %L end '
                'from %s as users where users.%I = %s limit 1)',
                source.erased_when, 'erased', source.eligible_when, 'healable', 'not_eligible', source.users_table::regclass,
                source.users_key, spelled.user_key
            ),
            ', ' order by source.place
        ) as by_each,
        count(*) > 1 as are_many
    from spelled
    cross join
        lateral unnest($5::text[], $6::text[], $8::text[], $9::text[])
        with ordinality as source (users_table, users_key, eligible_when, erased_when, place)
),

judged as (
    select
        spelled.*,
        case
            when spelled.user_key is null then '''unknown'''
            else format(
                'coalesce(%s%s, %s)',
                -- Whom one source can heal is healable, whatever another says of them.
                case when told.are_many then format('case when %1$L in (%2$s) then %1$L end, ', 'healable', told.by_each) end,
                told.by_each,
                case
                    when $10::boolean
                        then format(
                            'case when exists (select from pgmend.audit_entries as entry where entry.user_id = %s::text '
                            'and (entry.error_type = any (%L) or entry.details ->> %L = %L)) then %L else %L end',
                            spelled.user_key, '{MISSING_PROFILE_CREATED,ERASED_USER_EVENT_DROPPED}', 'kind', 'user_created',
                            'gone', 'unknown'
                        )
                    else quote_literal('unknown')
                end
            )
        end as reason
    from spelled cross join told
)

select
    format(
        case
            when $11::boolean
                then
                    'select %1$s::text as key, case when %2$s then %9$L %3$s else %4$s end as reason, '
                    'orphan.pgmend_orphans as orphans, orphan.pgmend_first_seen as first_seen, '
                    'orphan.pgmend_last_seen as last_seen, orphan.pgmend_last_hour as last_hour, '
                    'orphan.pgmend_last_day as last_day '
                    'from (select %10$s, count(*) as pgmend_orphans, '
                    'min(%11$s) as pgmend_first_seen, max(%11$s) as pgmend_last_seen, '
                    'count(*) filter (where %11$s > now() - interval %12$L) as pgmend_last_hour, '
                    'count(*) filter (where %11$s > now() - interval %13$L) as pgmend_last_day '
                    'from %5$s as orphan where %6$s and not exists (select from %7$s as present where %8$s) '
                    'group by %10$s) as orphan'
            else
                'select orphan.tableoid as table_oid, orphan.ctid as row_ctid, %1$s::text as key, '
                'case when %2$s then %9$L %3$s else %4$s end as reason '
                'from %5$s as orphan where %6$s and not exists (select from %7$s as present where %8$s)'
        end,
        judged.key,
        judged.is_malformed,
        case
            when judged.is_composite and judged.profile_key is not null
                then format(
                    'when exists (select from %s as present where %s = %s) then %L',
                    $3::text::regclass, judged.profile_key, judged.user_key, 'mismatched'
                )
        end,
        judged.reason,
        $1::text::regclass,
        judged.is_given,
        $3::text::regclass,
        judged.is_present,
        'malformed',
        judged.columns,
        coalesce(
            (
                -- A time without a zone is taken for one of Greenwich.
                select
                    case
                        when attribute.atttypid = 'timestamptz'::regtype then format('orphan.%I', attribute.attname)
                        else format('(orphan.%I::timestamp at time zone %L)', attribute.attname, 'UTC')
                    end
                from pg_catalog.pg_attribute as attribute
                where attribute.attrelid = $1::text::regclass and attribute.attname = $12::text
            ),
            'null::timestamptz'
        ),
        '1 hour',
        '1 day'
    ) as selection
from judged
