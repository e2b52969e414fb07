-- What the calling role may not do, of what attaching these tables needs.
select rights.missing_right
from pgmend.missing_rights($1::text::regclass, $2::text::regclass, $3::text::name, $4::name[]) as rights
