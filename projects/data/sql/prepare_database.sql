-- Prepares the database for probes that log in: run once, on the writer, in database postgres, as the master user.
-- It can be run again at any time, changes nothing that is not named here, and reaches the replica by replication.
--
--   dr_probe      the role the probes log in as: by IAM token only, eight sessions at most, no rights but the ones below
--   dr.heartbeat  one row for each site that probes: the proof that a commit works, and on the replica how old its data is

begin;

do $$
begin
    if current_database() <> 'postgres' then
        raise exception 'this is database %', current_database()
            using hint = 'run it in database postgres, where the probes log in';
    end if;
    if not exists (select from pg_catalog.pg_roles where rolname = 'rds_iam') then
        raise exception 'role rds_iam does not exist'
            using hint = 'this server is no RDS instance, or its IAM database authentication has never been on';
    end if;
    if exists (
        select from pg_catalog.pg_namespace as schema join pg_catalog.pg_roles as owner on owner.oid = schema.nspowner
        where schema.nspname = 'dr' and owner.rolname <> current_user
    ) then
        raise exception 'schema dr belongs to somebody else'
            using hint = 'rename that schema, or run this as its owner';
    end if;
    if not exists (select from pg_catalog.pg_roles where rolname = 'dr_probe') then
        create role dr_probe;
    end if;
end
$$;

-- Two observers on a schedule, two on demand, and as many half-open ones that a cut has left.
alter role dr_probe login connection limit 8;
alter role dr_probe set synchronous_commit = 'on';
-- Well within the time that a probe waits for its commit: a row that somebody locks must not look like hung storage.
alter role dr_probe set lock_timeout = '250ms';
alter role dr_probe set statement_timeout = '10s';
alter role dr_probe set idle_in_transaction_session_timeout = '10s';
alter role dr_probe set search_path = 'pg_catalog';

-- The login by token, and who else's details pg_stat_wal_receiver shows.
grant rds_iam to dr_probe;
grant pg_read_all_stats to dr_probe;

grant connect on database postgres to dr_probe;

create schema if not exists dr;
create table if not exists dr.heartbeat (
    observer text primary key,
    at timestamptz not null
) with (fillfactor = 50);
revoke all on schema dr from public;
revoke all on table dr.heartbeat from public;
grant usage on schema dr to dr_probe;
grant select, insert, update on table dr.heartbeat to dr_probe;
comment on table dr.heartbeat is 'Heartbeats of the health probes, one row for each site that probes';

commit;
