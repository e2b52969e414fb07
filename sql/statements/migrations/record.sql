-- Records one applied migration.
insert into pgmend.migrations (version, name, sha256)
values ($1, $2, $3)
on conflict (version) do update set name = excluded.name, sha256 = excluded.sha256
