-- Where deploy/logging/rsyslog.conf puts the worker's lines: a database for logs, not the application's.
create schema if not exists logs;

create table if not exists logs.pgmend_lines (
    line_id bigint generated always as identity primary key,
    fields jsonb not null
);

create index if not exists pgmend_lines_by_field on logs.pgmend_lines using gin (fields jsonb_path_ops);
