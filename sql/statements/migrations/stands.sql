-- Whether there is a schema pgmend, whole or not.
select to_regnamespace('pgmend') is not null as stands
