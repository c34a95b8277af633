SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.api_token (
    id bigint NOT NULL,
    name text NOT NULL,
    scope text NOT NULL,
    digest bytea NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint
);
CREATE SEQUENCE public.api_token_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.api_token_id_seq OWNED BY public.api_token.id;
CREATE TABLE public.cohort (
    id bigint NOT NULL,
    project_id text NOT NULL COLLATE pg_catalog."C",
    mixpanel_cohort_id text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    description text NOT NULL COLLATE pg_catalog."C",
    member_count bigint NOT NULL,
    version bigint NOT NULL,
    session_count bigint NOT NULL,
    change_count bigint NOT NULL,
    newest_refresh bigint NOT NULL,
    complete_refresh bigint NOT NULL,
    created_at bigint NOT NULL,
    first_synced_at bigint,
    last_synced_at bigint,
    last_call_at bigint NOT NULL
);
CREATE SEQUENCE public.cohort_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.cohort_id_seq OWNED BY public.cohort.id;
CREATE TABLE public.cohort_label (
    cohort_id bigint NOT NULL,
    session_number bigint NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    description text NOT NULL COLLATE pg_catalog."C",
    until bigint NOT NULL
);
CREATE TABLE public.connection (
    id bigint NOT NULL,
    name text NOT NULL,
    enabled boolean NOT NULL,
    created_at bigint NOT NULL
);
CREATE SEQUENCE public.connection_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.connection_id_seq OWNED BY public.connection.id;
CREATE TABLE public.connection_password (
    id bigint NOT NULL,
    connection_id bigint NOT NULL,
    digest bytea NOT NULL,
    created_at bigint NOT NULL,
    last_used_at bigint,
    retired_at bigint
);
CREATE SEQUENCE public.connection_password_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.connection_password_id_seq OWNED BY public.connection_password.id;
CREATE TABLE public.failure (
    id bigint NOT NULL,
    at bigint NOT NULL,
    last_at bigint NOT NULL,
    count integer NOT NULL,
    connection text COLLATE pg_catalog."C",
    project_id text COLLATE pg_catalog."C",
    cohort_id text COLLATE pg_catalog."C",
    action text COLLATE pg_catalog."C",
    status integer NOT NULL,
    cause text NOT NULL,
    message text NOT NULL COLLATE pg_catalog."C",
    request_id text NOT NULL,
    body_bytes bigint,
    traceback text
);
CREATE SEQUENCE public.failure_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.failure_id_seq OWNED BY public.failure.id;
CREATE TABLE public.membership (
    cohort_id bigint NOT NULL,
    person_id bigint NOT NULL,
    entered_at bigint NOT NULL,
    left_at bigint,
    entry_number integer NOT NULL,
    session_number bigint NOT NULL,
    change_number bigint NOT NULL
)
WITH (fillfactor='90');
CREATE TABLE public.membership_change (
    cohort_id bigint NOT NULL,
    number bigint NOT NULL,
    person_id bigint NOT NULL,
    entered boolean NOT NULL,
    entry_number integer NOT NULL,
    session_id bigint NOT NULL,
    at bigint NOT NULL,
    previous bigint NOT NULL
);
CREATE TABLE public.person (
    id bigint NOT NULL,
    project_id text NOT NULL COLLATE pg_catalog."C",
    distinct_id text NOT NULL COLLATE pg_catalog."C",
    digest bigint,
    named_fields smallint NOT NULL,
    email text COLLATE pg_catalog."C",
    first_name text COLLATE pg_catalog."C",
    last_name text COLLATE pg_catalog."C",
    phone_number text COLLATE pg_catalog."C",
    properties jsonb NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
)
WITH (fillfactor='90');
CREATE SEQUENCE public.person_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.person_id_seq OWNED BY public.person.id;
CREATE TABLE public.sync_page (
    session_id bigint NOT NULL,
    page bigint NOT NULL,
    body_digest bytea NOT NULL,
    received integer NOT NULL,
    entered integer NOT NULL,
    left_count integer NOT NULL,
    unchanged integer NOT NULL,
    rejected integer NOT NULL,
    replays integer NOT NULL,
    applied boolean NOT NULL,
    seen bytea NOT NULL,
    rejected_members jsonb,
    received_at bigint NOT NULL
);
CREATE TABLE public.sync_session (
    id bigint NOT NULL,
    cohort_id bigint NOT NULL,
    number bigint NOT NULL,
    mixpanel_session_id text NOT NULL COLLATE pg_catalog."C",
    action text NOT NULL,
    connection_id bigint NOT NULL,
    status text NOT NULL,
    unclear boolean NOT NULL,
    total_pages integer,
    pages_received integer NOT NULL,
    received bigint NOT NULL,
    entered bigint NOT NULL,
    left_count bigint NOT NULL,
    unchanged bigint NOT NULL,
    rejected bigint NOT NULL,
    replayed bigint NOT NULL,
    first_change bigint NOT NULL,
    last_change bigint NOT NULL,
    started_at bigint NOT NULL,
    last_page_at bigint NOT NULL,
    completed_at bigint,
    settles_at bigint,
    claimed_until bigint
);
CREATE SEQUENCE public.sync_session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.sync_session_id_seq OWNED BY public.sync_session.id;
ALTER TABLE ONLY public.api_token ALTER COLUMN id SET DEFAULT nextval('public.api_token_id_seq'::regclass);
ALTER TABLE ONLY public.cohort ALTER COLUMN id SET DEFAULT nextval('public.cohort_id_seq'::regclass);
ALTER TABLE ONLY public.connection ALTER COLUMN id SET DEFAULT nextval('public.connection_id_seq'::regclass);
ALTER TABLE ONLY public.connection_password ALTER COLUMN id SET DEFAULT nextval('public.connection_password_id_seq'::regclass);
ALTER TABLE ONLY public.failure ALTER COLUMN id SET DEFAULT nextval('public.failure_id_seq'::regclass);
ALTER TABLE ONLY public.person ALTER COLUMN id SET DEFAULT nextval('public.person_id_seq'::regclass);
ALTER TABLE ONLY public.sync_session ALTER COLUMN id SET DEFAULT nextval('public.sync_session_id_seq'::regclass);
INSERT INTO public.alembic_version VALUES ('0001');
INSERT INTO public.api_token VALUES (1, 'reader', 'read', '\xdcef1f135caedfde1547135c9261d0b9004d1ee3e2d10ac835cf158f18429b3a', 1795871663414, 1795871663994);
INSERT INTO public.cohort VALUES (2, '1', '8', 'Trial', 'who pay', 2, 3, 1, 2, 1, 1, 1795871663934, 1795871663934, 1795871663934, 1795871663934);
INSERT INTO public.cohort VALUES (3, '2', '9', 'Paying users', 'who pay', 1, 3, 1, 1, 1, 1, 1795871663948, 1795871663948, 1795871663948, 1795871663948);
INSERT INTO public.cohort VALUES (1, '1', '7', 'Paying users', 'who pay', 13, 12, 5, 17, 5, 1, 1795871663827, 1795871663865, 1795871663928, 1795871663969);
INSERT INTO public.connection VALUES (1, 'crm', true, 1795871660093);
INSERT INTO public.connection_password VALUES (2, 1, '\x2f81588b8c3148b8793742bbbd532da6664114d5fd4909feeed0b489924ff69e', 1795871661688, NULL, NULL);
INSERT INTO public.connection_password VALUES (1, 1, '\x58cb91042d4e0a194963561652bb7e0d0c39a31ea50dd4ae229609644f2d3066', 1795871660093, 1795871663814, NULL);
INSERT INTO public.failure VALUES (1, 1795871663978, 1795871663978, 1, 'crm', NULL, NULL, 'members', 400, 'no_cohort_id', 'parameters.mixpanel_cohort_id is missing or cannot be read.', '8b408ddcdad54488a8706fc18d22858b', 52, NULL);
INSERT INTO public.failure VALUES (2, 1795871663988, 1795871663988, 1, 'crm', NULL, NULL, NULL, 401, 'wrong_credentials', 'The username or password is not one of this connection''s live ones.', '2b875ad3b83847779b9e397dba4db4e1', NULL, NULL);
INSERT INTO public.membership VALUES (1, 1, 1795871663827, NULL, 1, 1, 1);
INSERT INTO public.membership VALUES (1, 3, 1795871663827, NULL, 1, 1, 3);
INSERT INTO public.membership VALUES (1, 5, 1795871663827, NULL, 1, 1, 5);
INSERT INTO public.membership VALUES (1, 6, 1795871663857, NULL, 1, 1, 6);
INSERT INTO public.membership VALUES (1, 7, 1795871663857, NULL, 1, 1, 7);
INSERT INTO public.membership VALUES (1, 8, 1795871663857, NULL, 1, 1, 8);
INSERT INTO public.membership VALUES (1, 9, 1795871663857, NULL, 1, 1, 9);
INSERT INTO public.membership VALUES (1, 10, 1795871663857, NULL, 1, 1, 10);
INSERT INTO public.membership VALUES (1, 11, 1795871663865, NULL, 1, 1, 11);
INSERT INTO public.membership VALUES (1, 12, 1795871663865, NULL, 1, 1, 12);
INSERT INTO public.membership VALUES (1, 4, 1795871663827, 1795871663903, 1, 2, 14);
INSERT INTO public.membership VALUES (1, 2, 1795871663914, NULL, 2, 3, 15);
INSERT INTO public.membership VALUES (1, 13, 1795871663914, NULL, 1, 3, 16);
INSERT INTO public.membership VALUES (2, 1, 1795871663934, NULL, 1, 1, 1);
INSERT INTO public.membership VALUES (2, 14, 1795871663934, NULL, 1, 1, 2);
INSERT INTO public.membership VALUES (3, 15, 1795871663948, NULL, 1, 1, 1);
INSERT INTO public.membership VALUES (1, 16, 1795871663957, NULL, 1, 5, 17);
INSERT INTO public.membership_change VALUES (1, 1, 1, true, 1, 1, 1795871663827, 0);
INSERT INTO public.membership_change VALUES (1, 2, 2, true, 1, 1, 1795871663827, 0);
INSERT INTO public.membership_change VALUES (1, 3, 3, true, 1, 1, 1795871663827, 0);
INSERT INTO public.membership_change VALUES (1, 4, 4, true, 1, 1, 1795871663827, 0);
INSERT INTO public.membership_change VALUES (1, 5, 5, true, 1, 1, 1795871663827, 0);
INSERT INTO public.membership_change VALUES (1, 6, 6, true, 1, 1, 1795871663857, 0);
INSERT INTO public.membership_change VALUES (1, 7, 7, true, 1, 1, 1795871663857, 0);
INSERT INTO public.membership_change VALUES (1, 8, 8, true, 1, 1, 1795871663857, 0);
INSERT INTO public.membership_change VALUES (1, 9, 9, true, 1, 1, 1795871663857, 0);
INSERT INTO public.membership_change VALUES (1, 10, 10, true, 1, 1, 1795871663857, 0);
INSERT INTO public.membership_change VALUES (1, 11, 11, true, 1, 1, 1795871663865, 0);
INSERT INTO public.membership_change VALUES (1, 12, 12, true, 1, 1, 1795871663865, 0);
INSERT INTO public.membership_change VALUES (1, 13, 2, false, 1, 2, 1795871663903, 2);
INSERT INTO public.membership_change VALUES (1, 14, 4, false, 1, 2, 1795871663903, 4);
INSERT INTO public.membership_change VALUES (1, 15, 2, true, 2, 3, 1795871663914, 13);
INSERT INTO public.membership_change VALUES (1, 16, 13, true, 1, 3, 1795871663914, 0);
INSERT INTO public.membership_change VALUES (2, 1, 1, true, 1, 5, 1795871663934, 0);
INSERT INTO public.membership_change VALUES (2, 2, 14, true, 1, 5, 1795871663934, 0);
INSERT INTO public.membership_change VALUES (3, 1, 15, true, 1, 6, 1795871663948, 0);
INSERT INTO public.membership_change VALUES (1, 17, 16, true, 1, 7, 1795871663957, 0);
INSERT INTO public.person VALUES (1, '1', 'ada', -862501420904281190, 3, 'ada@example.com', 'Ada', NULL, NULL, '{"plan": "pro", "tags": ["a", "ü"], "seats": 3}', 1795871663827, 1795871663827);
INSERT INTO public.person VALUES (2, '1', 'bob', -4084748960783566858, 5, 'bob@example.com', NULL, 'O''Hara', NULL, '{"note": "semi;colon\nand a second line", "score": 1.5}', 1795871663827, 1795871663827);
INSERT INTO public.person VALUES (3, '1', 'cho', -1425226616990878103, 10, NULL, '조', NULL, '+1 555 0100', '{"vip": true, "gone": null, "nested": {"a": {"b": [1, null]}}}', 1795871663827, 1795871663827);
INSERT INTO public.person VALUES (4, '1', 'p00', 4495019029656102410, 0, NULL, NULL, NULL, NULL, '{"plan": "free"}', 1795871663827, 1795871663827);
INSERT INTO public.person VALUES (5, '1', 'p01', -5261205232084156413, 0, NULL, NULL, NULL, NULL, '{"plan": "free"}', 1795871663827, 1795871663827);
INSERT INTO public.person VALUES (6, '1', 'p02', -3981068650342107341, 0, NULL, NULL, NULL, NULL, '{"plan": "free"}', 1795871663857, 1795871663857);
INSERT INTO public.person VALUES (7, '1', 'p03', 2694374095804255806, 0, NULL, NULL, NULL, NULL, '{"plan": "free"}', 1795871663857, 1795871663857);
INSERT INTO public.person VALUES (8, '1', 'p04', 7889406716565466859, 0, NULL, NULL, NULL, NULL, '{"plan": "free"}', 1795871663857, 1795871663857);
INSERT INTO public.person VALUES (9, '1', 'p05', -2462282446178688013, 0, NULL, NULL, NULL, NULL, '{"plan": "free"}', 1795871663857, 1795871663857);
INSERT INTO public.person VALUES (10, '1', 'p06', -1656403197836890874, 0, NULL, NULL, NULL, NULL, '{"plan": "free"}', 1795871663857, 1795871663857);
INSERT INTO public.person VALUES (11, '1', 'p07', -5766291233758364290, 0, NULL, NULL, NULL, NULL, '{"plan": "free"}', 1795871663865, 1795871663865);
INSERT INTO public.person VALUES (12, '1', 'p08', 4962130306241565167, 0, NULL, NULL, NULL, NULL, '{"plan": "free"}', 1795871663865, 1795871663865);
INSERT INTO public.person VALUES (13, '1', 'dan', -5592492080932015590, 0, NULL, NULL, NULL, NULL, '{}', 1795871663914, 1795871663914);
INSERT INTO public.person VALUES (14, '1', 'zoë', 1046388837256308785, 0, NULL, NULL, NULL, NULL, '{}', 1795871663934, 1795871663934);
INSERT INTO public.person VALUES (15, '2', 'ada', 5758341020439570931, 0, NULL, NULL, NULL, NULL, '{}', 1795871663948, 1795871663948);
INSERT INTO public.person VALUES (16, '1', 'eva', 2462615991550377958, 0, NULL, NULL, NULL, NULL, '{"plan": "new"}', 1795871663957, 1795871663957);
INSERT INTO public.sync_page VALUES (1, 1, '\x05184291b878fea475508ae9606f1351', 5, 5, 0, 0, 0, 0, true, '\x7801636480004602340000a00006', NULL, 1795871663827);
INSERT INTO public.sync_page VALUES (1, 3, '\xf96ce447e80fd776e0f275e0ec4859b8', 2, 2, 0, 0, 0, 0, true, '\x7801e366800046280d0000c8000d', NULL, 1795871663865);
INSERT INTO public.sync_page VALUES (1, 2, '\xfa1e11770389ab4fb1b5a0a7b1c9cafc', 5, 5, 0, 0, 0, 1, true, '\x780163638000460234000168000b', NULL, 1795871663857);
INSERT INTO public.sync_page VALUES (2, 1, '\x68739247ae6094ba509fdf6e14598102', 2, 0, 2, 0, 0, 0, true, '\x78016362800026280d0000400005', NULL, 1795871663903);
INSERT INTO public.sync_page VALUES (3, 1, '\x09ee86f74d3cbd966446ee11a6e89527', 4, 2, 0, 0, 2, 0, true, '\x7801636280006e280d000088000e', '[{"value": "\"undefined\"", "reason": "illegal"}, {"value": "{\"email\": \"nobody@example.com\"}", "reason": "missing"}]', 1795871663914);
INSERT INTO public.sync_page VALUES (4, 1, '\x9f9bc242a1ad00388862a7ae08dd53ae', 0, 0, 0, 0, 0, 0, true, '\x7801030000000001', NULL, 1795871663928);
INSERT INTO public.sync_page VALUES (5, 1, '\x586f29b82043c63afa07f81f2343b46a', 2, 2, 0, 0, 0, 0, true, '\x7801636480005e280d000088000f', NULL, 1795871663934);
INSERT INTO public.sync_page VALUES (6, 1, '\x5dbcace7f6046e2cf86d08f8944d4a7b', 1, 1, 0, 0, 0, 0, true, '\x7801e36780000000800010', NULL, 1795871663948);
INSERT INTO public.sync_page VALUES (7, 1, '\x38eb100c0a1211eb3c24097e8adb6df6', 3, 1, 0, 2, 0, 0, true, '\x7801636480004628cd07a50100b00011', NULL, 1795871663957);
INSERT INTO public.sync_page VALUES (7, 2, '\x049ae0ff6b46db565b4879f03de277cc', 3, 0, 0, 3, 0, 0, true, '\x78016363800046341a0000c00009', NULL, 1795871663969);
INSERT INTO public.sync_session VALUES (1, 1, 1, 'first', 'members', 1, 'complete', false, 3, 3, 12, 12, 0, 0, 0, 1, 1, 12, 1795871663827, 1795871663892, 1795871663865, NULL, NULL);
INSERT INTO public.sync_session VALUES (2, 1, 2, 'went', 'remove_members', 1, 'complete', false, 1, 1, 2, 0, 2, 0, 0, 0, 13, 14, 1795871663903, 1795871663903, 1795871663903, NULL, NULL);
INSERT INTO public.sync_session VALUES (3, 1, 3, 'came', 'add_members', 1, 'complete', false, 1, 1, 4, 2, 0, 0, 2, 0, 15, 16, 1795871663914, 1795871663914, 1795871663914, NULL, NULL);
INSERT INTO public.sync_session VALUES (4, 1, 4, 'beat', 'add_members', 1, 'complete', false, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1795871663928, 1795871663928, 1795871663928, NULL, NULL);
INSERT INTO public.sync_session VALUES (5, 2, 1, 'other', 'members', 1, 'complete', false, 1, 1, 2, 2, 0, 0, 0, 0, 1, 2, 1795871663934, 1795871663934, 1795871663934, NULL, NULL);
INSERT INTO public.sync_session VALUES (6, 3, 1, 'elsewhere', 'members', 1, 'complete', false, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1795871663948, 1795871663948, 1795871663948, NULL, NULL);
INSERT INTO public.sync_session VALUES (7, 1, 5, 'second', 'members', 1, 'receiving', false, 4, 2, 6, 1, 0, 5, 0, 0, 17, 17, 1795871663957, 1795871663969, NULL, NULL, NULL);
SELECT pg_catalog.setval('public.api_token_id_seq', 1, true);
SELECT pg_catalog.setval('public.cohort_id_seq', 3, true);
SELECT pg_catalog.setval('public.connection_id_seq', 1, true);
SELECT pg_catalog.setval('public.connection_password_id_seq', 2, true);
SELECT pg_catalog.setval('public.failure_id_seq', 2, true);
SELECT pg_catalog.setval('public.person_id_seq', 16, true);
SELECT pg_catalog.setval('public.sync_session_id_seq', 7, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT pk_api_token PRIMARY KEY (id);
ALTER TABLE ONLY public.cohort
    ADD CONSTRAINT pk_cohort PRIMARY KEY (id);
ALTER TABLE ONLY public.cohort_label
    ADD CONSTRAINT pk_cohort_label PRIMARY KEY (cohort_id, session_number);
ALTER TABLE ONLY public.connection
    ADD CONSTRAINT pk_connection PRIMARY KEY (id);
ALTER TABLE ONLY public.connection_password
    ADD CONSTRAINT pk_connection_password PRIMARY KEY (id);
ALTER TABLE ONLY public.failure
    ADD CONSTRAINT pk_failure PRIMARY KEY (id);
ALTER TABLE ONLY public.membership
    ADD CONSTRAINT pk_membership PRIMARY KEY (cohort_id, person_id);
ALTER TABLE ONLY public.membership_change
    ADD CONSTRAINT pk_membership_change PRIMARY KEY (cohort_id, number);
ALTER TABLE ONLY public.person
    ADD CONSTRAINT pk_person PRIMARY KEY (id);
ALTER TABLE ONLY public.sync_page
    ADD CONSTRAINT pk_sync_page PRIMARY KEY (session_id, page);
ALTER TABLE ONLY public.sync_session
    ADD CONSTRAINT pk_sync_session PRIMARY KEY (id);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT uq_api_token_digest UNIQUE (digest);
ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT uq_api_token_name UNIQUE (name);
ALTER TABLE ONLY public.cohort
    ADD CONSTRAINT uq_cohort_project_id_mixpanel_cohort_id UNIQUE (project_id, mixpanel_cohort_id);
ALTER TABLE ONLY public.connection
    ADD CONSTRAINT uq_connection_name UNIQUE (name);
ALTER TABLE ONLY public.person
    ADD CONSTRAINT uq_person_project_id_distinct_id UNIQUE (project_id, distinct_id);
ALTER TABLE ONLY public.sync_session
    ADD CONSTRAINT uq_sync_session_cohort_id_number UNIQUE (cohort_id, number);
CREATE INDEX ix_connection_password_connection_id ON public.connection_password USING btree (connection_id);
CREATE INDEX ix_failure_at ON public.failure USING btree (at);
CREATE INDEX ix_sync_session_identity ON public.sync_session USING btree (cohort_id, mixpanel_session_id, action, number);
CREATE INDEX ix_sync_session_unfinished ON public.sync_session USING btree (cohort_id, number) WHERE (status <> ALL (ARRAY['complete'::text, 'superseded'::text]));
ALTER TABLE ONLY public.cohort_label
    ADD CONSTRAINT fk_cohort_label_cohort_id FOREIGN KEY (cohort_id) REFERENCES public.cohort(id);
ALTER TABLE ONLY public.connection_password
    ADD CONSTRAINT fk_connection_password_connection_id FOREIGN KEY (connection_id) REFERENCES public.connection(id);
ALTER TABLE ONLY public.sync_session
    ADD CONSTRAINT fk_sync_session_cohort_id FOREIGN KEY (cohort_id) REFERENCES public.cohort(id);
