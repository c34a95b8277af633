-- Three roles with no more rights than each needs. Run it as a superuser in the relay's own database, before the first
-- `flask db upgrade` and again after each later one, which may have made tables:
--
--   runuser -u postgres -- psql -v ON_ERROR_STOP=1 -d cohort_relay -f deploy/postgresql-roles.sql
--
-- cohort_relay_owner    owns the tables: flask db upgrade alone
-- cohort_relay_app      serves and works: reads and writes rows, and changes no table
-- cohort_relay_reader   reads for reports: cohorts, people, sessions and the log; nothing that is secret or sealed
--
-- None has a password yet: give each one by \password, or let it in by name (peer). A database whose tables belong to
-- another role is handed over first: REASSIGN OWNED BY "cohort-relay" TO cohort_relay_owner;

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['cohort_relay_owner', 'cohort_relay_app', 'cohort_relay_reader'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', name);
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), name);
    END LOOP;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO cohort_relay_owner;
GRANT USAGE ON SCHEMA public TO cohort_relay_app, cohort_relay_reader;

-- What serves: rows, and the numbers of new ones; also of tables that a later upgrade makes.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO cohort_relay_app;
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO cohort_relay_app;
ALTER DEFAULT PRIVILEGES FOR ROLE cohort_relay_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO cohort_relay_app;
ALTER DEFAULT PRIVILEGES FOR ROLE cohort_relay_owner IN SCHEMA public
    GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO cohort_relay_app;

-- What reads: these tables by name, so that no table of secrets is ever among them by itself.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM cohort_relay_reader;
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['cohort', 'person', 'membership', 'membership_change', 'sync_session', 'failure'] LOOP
        IF to_regclass('public.' || name) IS NOT NULL THEN
            EXECUTE format('GRANT SELECT ON public.%I TO cohort_relay_reader', name);
        END IF;
    END LOOP;
END
$$;
