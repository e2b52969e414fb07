-- Which database this is, and as which role it is looked at.
select current_database() as database_name, quote_ident(current_user) as role_name
