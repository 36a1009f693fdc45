--
-- PostgreSQL database dump
--


-- Dumped from database version 18.4
-- Dumped by pg_dump version 18.4

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: alembic_version; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);


--
-- Name: answers; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.answers (
    key character varying(64) NOT NULL,
    request character varying(64) NOT NULL,
    body text,
    at bigint NOT NULL
);


--
-- Name: attempts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.attempts (
    delivery_id bigint NOT NULL,
    claim integer NOT NULL,
    at bigint NOT NULL,
    milliseconds integer NOT NULL,
    status integer,
    error text,
    response text
);


--
-- Name: calendars; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.calendars (
    slug character varying(64) NOT NULL,
    content text NOT NULL,
    withdrawn boolean NOT NULL,
    publish_id bigint NOT NULL
);


--
-- Name: deliveries; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.deliveries (
    id bigint NOT NULL,
    message_id character varying(40) NOT NULL,
    endpoint_id character varying(40) NOT NULL,
    state character varying(16) NOT NULL,
    next_at bigint NOT NULL,
    claim integer NOT NULL,
    attempts integer NOT NULL,
    settled_at bigint,
    digest character varying(40)
);


--
-- Name: deliveries_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.deliveries_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: deliveries_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.deliveries_id_seq OWNED BY public.deliveries.id;


--
-- Name: endpoints; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.endpoints (
    id character varying(40) NOT NULL,
    url text NOT NULL,
    description text NOT NULL,
    filters text NOT NULL,
    options text NOT NULL,
    headers text NOT NULL,
    secret text NOT NULL,
    former_secret text,
    former_until bigint,
    state character varying(16) NOT NULL,
    reason text,
    created bigint NOT NULL,
    settled_at bigint,
    failing_since bigint,
    paced_to bigint
);


--
-- Name: events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.events (
    uid character varying(255) NOT NULL,
    calendar character varying(64) NOT NULL,
    slug character varying(64) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    renderer integer NOT NULL,
    revision text NOT NULL,
    vevent bytea NOT NULL,
    last_year integer NOT NULL,
    withdrawn_at bigint,
    planned_until bigint
);


--
-- Name: messages; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.messages (
    id character varying(40) NOT NULL,
    subject text NOT NULL,
    at bigint NOT NULL,
    send_from bigint,
    until bigint,
    text text NOT NULL,
    body bytea,
    uid character varying(255),
    reminder character varying(40),
    fanned_out_to character varying(40)
);


--
-- Name: polls; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.polls (
    day bigint NOT NULL,
    feed character varying(128) NOT NULL,
    family character varying(32) NOT NULL,
    sent bigint NOT NULL,
    unchanged bigint NOT NULL,
    bytes bigint NOT NULL
);


--
-- Name: publishes; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.publishes (
    id bigint NOT NULL,
    at bigint NOT NULL,
    summary text NOT NULL,
    changes text NOT NULL,
    author character varying(100),
    command character varying(32)
);


--
-- Name: publishes_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.publishes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: publishes_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.publishes_id_seq OWNED BY public.publishes.id;


--
-- Name: rehearsals; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.rehearsals (
    id character varying(40) NOT NULL,
    endpoint_id character varying(40) NOT NULL,
    at bigint NOT NULL,
    begins bigint NOT NULL,
    ends bigint NOT NULL,
    deliveries text NOT NULL
);


--
-- Name: reminders; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.reminders (
    key character varying(40) NOT NULL,
    uid character varying(255) NOT NULL,
    occurrence character varying(16) NOT NULL,
    begins bigint NOT NULL,
    rule character varying(64) NOT NULL,
    due bigint NOT NULL,
    until bigint NOT NULL,
    state character varying(16) NOT NULL,
    settled_at bigint
);


--
-- Name: renderings; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.renderings (
    uid character varying(255) NOT NULL,
    language character varying(64) NOT NULL,
    marked boolean NOT NULL,
    vevent bytea NOT NULL
);


--
-- Name: revisions; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.revisions (
    uid character varying(255) NOT NULL,
    sequence integer NOT NULL,
    calendar character varying(64) NOT NULL,
    kind character varying(16) NOT NULL,
    at bigint NOT NULL,
    revision text NOT NULL,
    publish_id bigint NOT NULL
);


--
-- Name: sign_in_links; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.sign_in_links (
    digest character varying(64) NOT NULL,
    expires bigint NOT NULL
);


--
-- Name: tokens; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.tokens (
    id bigint NOT NULL,
    digest character varying(64) NOT NULL,
    calendar character varying(64),
    scopes text NOT NULL,
    description text NOT NULL,
    created bigint NOT NULL,
    revoked bigint
);


--
-- Name: tokens_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.tokens_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: tokens_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.tokens_id_seq OWNED BY public.tokens.id;


--
-- Name: deliveries id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries ALTER COLUMN id SET DEFAULT nextval('public.deliveries_id_seq'::regclass);


--
-- Name: publishes id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.publishes ALTER COLUMN id SET DEFAULT nextval('public.publishes_id_seq'::regclass);


--
-- Name: tokens id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tokens ALTER COLUMN id SET DEFAULT nextval('public.tokens_id_seq'::regclass);


--
-- Data for Name: alembic_version; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.alembic_version VALUES ('0001');


--
-- Data for Name: answers; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: attempts; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.attempts VALUES (3, 1, 1793606445346219, 17, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (11, 1, 1793606445346340, 17, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (19, 1, 1793606445346412, 17, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (27, 1, 1793606445346471, 19, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (5, 1, 1793606445346541, 19, 410, NULL, NULL);
INSERT INTO public.attempts VALUES (13, 1, 1793606445350058, 19, 410, NULL, NULL);
INSERT INTO public.attempts VALUES (35, 1, 1793606445546938, 3, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (43, 1, 1793606445546985, 82, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (51, 1, 1793606445547034, 82, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (37, 1, 1793606445547079, 82, 410, NULL, NULL);
INSERT INTO public.attempts VALUES (45, 1, 1793606445547102, 82, 410, NULL, NULL);
INSERT INTO public.attempts VALUES (53, 1, 1793606445772829, 2, 410, NULL, NULL);
INSERT INTO public.attempts VALUES (61, 1, 1793606445772870, 2, 410, NULL, NULL);
INSERT INTO public.attempts VALUES (69, 1, 1793606445777270, 9, 410, NULL, NULL);
INSERT INTO public.attempts VALUES (1, 1, 1793606445410707, 1011, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (25, 1, 1793606445410826, 1011, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (9, 1, 1793606445410743, 1011, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (17, 1, 1793606445410790, 1011, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (21, 1, 1793606445350173, 1012, 410, NULL, NULL);
INSERT INTO public.attempts VALUES (49, 1, 1793606446423243, 0, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (33, 1, 1793606446423179, 1, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (41, 1, 1793606446423216, 1, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (57, 1, 1793606446423266, 1, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (29, 1, 1793606445350237, 1014, 410, NULL, NULL);
INSERT INTO public.attempts VALUES (2, 1, 1793606445350295, 1014, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (10, 1, 1793606445350346, 1014, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (18, 1, 1793606445350395, 1014, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (26, 1, 1793606445350438, 1014, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (65, 1, 1793606446423916, 2, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (34, 1, 1793606446426011, 1, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (42, 1, 1793606446426070, 1, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (50, 1, 1793606446426097, 1, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (58, 1, 1793606446426122, 1, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (66, 1, 1793606446511213, 10, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (2, 2, 1793606450793077, 1, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (50, 2, 1793606451051810, 94, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (18, 2, 1793606451487112, 19, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (26, 2, 1793606451783795, 10, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (42, 2, 1793606451783900, 10, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (66, 2, 1793606452039054, 8, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (10, 2, 1793606452038953, 12, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (34, 2, 1793606452038997, 12, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (58, 2, 1793606452039027, 12, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (75, 1, 1793606455457521, 7, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (74, 1, 1793606455457656, 7, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (73, 1, 1793606455457688, 7, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (80, 1, 1793606460188612, 2, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (8, 1, 1793606460189546, 1, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (16, 1, 1793606460190039, 1, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (24, 1, 1793606460190578, 0, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (32, 1, 1793606460236156, 35, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (40, 1, 1793606460273219, 5, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (48, 1, 1793606460273272, 5, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (72, 1, 1793606460273338, 5, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (79, 1, 1793606460273379, 5, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (6, 1, 1793606445350486, 15001, NULL, 'no complete answer after 15.0 seconds', NULL);
INSERT INTO public.attempts VALUES (14, 1, 1793606445350527, 15001, NULL, 'no complete answer after 15.0 seconds', NULL);
INSERT INTO public.attempts VALUES (22, 1, 1793606445350557, 15001, NULL, 'no complete answer after 15.0 seconds', NULL);
INSERT INTO public.attempts VALUES (30, 1, 1793606445410568, 15001, NULL, 'no complete answer after 15.0 seconds', NULL);
INSERT INTO public.attempts VALUES (74, 2, 1793606461094500, 1, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (87, 1, 1793606464013354, 1, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (81, 1, 1793606464013468, 0, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (82, 1, 1793606464013430, 1, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (82, 2, 1793606468666021, 4, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (89, 1, 1793606472520266, 1, 500, NULL, NULL);
INSERT INTO public.attempts VALUES (94, 1, 1793606472520217, 4, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (90, 1, 1793606472520102, 34, 204, NULL, NULL);
INSERT INTO public.attempts VALUES (88, 1, 1793606472520310, 33, 204, NULL, NULL);


--
-- Data for Name: calendars; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.calendars VALUES ('desk', '{"name":{"en":"Desk"},"slug":"desk","time_zone":"UTC"}', false, 4);


--
-- Data for Name: deliveries; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.deliveries VALUES (56, 'msg_203c9fb220acf99ac288f063c726f9b7', 'ep_fd1fb1fc9f4e71ef', 'expired', 1793606444838437, 0, 0, 1793606459299326, NULL);
INSERT INTO public.deliveries VALUES (4, 'msg_bb7a8e0a53e34133813f7c20f5d9a15d', 'ep_c2bc22483604fbbe', 'held', 1793606444838437, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (12, 'msg_80c426645ea85157f62ab1f74bbba10c', 'ep_c2bc22483604fbbe', 'held', 1793606444838437, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (20, 'msg_672b97b7633ca8a640b10fc823598c4d', 'ep_c2bc22483604fbbe', 'held', 1793606444838437, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (80, 'msg_55e0f36cbad91feb07eabefc6a15e637', 'ep_58f46774b9e57e0c', 'delivered', 1793606490102726, 1, 1, 1793606460272852, NULL);
INSERT INTO public.deliveries VALUES (8, 'msg_bb7a8e0a53e34133813f7c20f5d9a15d', 'ep_fd1fb1fc9f4e71ef', 'delivered', 1793606490102726, 1, 1, 1793606460272852, NULL);
INSERT INTO public.deliveries VALUES (16, 'msg_80c426645ea85157f62ab1f74bbba10c', 'ep_fd1fb1fc9f4e71ef', 'delivered', 1793606490102726, 1, 1, 1793606460272852, NULL);
INSERT INTO public.deliveries VALUES (24, 'msg_672b97b7633ca8a640b10fc823598c4d', 'ep_fd1fb1fc9f4e71ef', 'delivered', 1793606490102726, 1, 1, 1793606460272852, NULL);
INSERT INTO public.deliveries VALUES (32, 'msg_3f052054538dff28850a0fb007e864de', 'ep_fd1fb1fc9f4e71ef', 'delivered', 1793606490102726, 1, 1, 1793606460272852, NULL);
INSERT INTO public.deliveries VALUES (40, 'msg_5cbf655dbd533b12e35fea6431e30b50', 'ep_fd1fb1fc9f4e71ef', 'delivered', 1793606490102726, 1, 1, 1793606460406642, NULL);
INSERT INTO public.deliveries VALUES (28, 'msg_3f052054538dff28850a0fb007e864de', 'ep_c2bc22483604fbbe', 'held', 1793606444838437, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (48, 'msg_a94f63678c71a8ce5acd3217c7258219', 'ep_fd1fb1fc9f4e71ef', 'delivered', 1793606490102726, 1, 1, 1793606460406642, NULL);
INSERT INTO public.deliveries VALUES (36, 'msg_5cbf655dbd533b12e35fea6431e30b50', 'ep_c2bc22483604fbbe', 'held', 1793606444838437, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (44, 'msg_a94f63678c71a8ce5acd3217c7258219', 'ep_c2bc22483604fbbe', 'held', 1793606444838437, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (52, 'msg_203c9fb220acf99ac288f063c726f9b7', 'ep_c2bc22483604fbbe', 'held', 1793606444838437, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (38, 'msg_5cbf655dbd533b12e35fea6431e30b50', 'ep_ef17ffe6404a6a1d', 'pending', 1793606475506395, 1, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (46, 'msg_a94f63678c71a8ce5acd3217c7258219', 'ep_ef17ffe6404a6a1d', 'pending', 1793606475506395, 1, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (54, 'msg_203c9fb220acf99ac288f063c726f9b7', 'ep_ef17ffe6404a6a1d', 'pending', 1793606475506395, 1, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (70, 'msg_3975391bfdfe191e11385a5950324231', 'ep_ef17ffe6404a6a1d', 'pending', 1793606475506395, 1, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (78, 'msg_ac2c34eaadb07b57243323c681e3b2ac', 'ep_ef17ffe6404a6a1d', 'pending', 1793606475506395, 1, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (55, 'msg_203c9fb220acf99ac288f063c726f9b7', 'ep_fcd55a68706b6c5c', 'dropped', 1793606444838437, 0, 0, 1793606449705540, NULL);
INSERT INTO public.deliveries VALUES (31, 'msg_3f052054538dff28850a0fb007e864de', 'ep_fcd55a68706b6c5c', 'dropped', 1793606444838437, 0, 0, 1793606449705540, NULL);
INSERT INTO public.deliveries VALUES (39, 'msg_5cbf655dbd533b12e35fea6431e30b50', 'ep_fcd55a68706b6c5c', 'dropped', 1793606444838437, 0, 0, 1793606449705540, NULL);
INSERT INTO public.deliveries VALUES (23, 'msg_672b97b7633ca8a640b10fc823598c4d', 'ep_fcd55a68706b6c5c', 'dropped', 1793606444838437, 0, 0, 1793606449705540, NULL);
INSERT INTO public.deliveries VALUES (15, 'msg_80c426645ea85157f62ab1f74bbba10c', 'ep_fcd55a68706b6c5c', 'dropped', 1793606444838437, 0, 0, 1793606449705540, NULL);
INSERT INTO public.deliveries VALUES (47, 'msg_a94f63678c71a8ce5acd3217c7258219', 'ep_fcd55a68706b6c5c', 'dropped', 1793606444838437, 0, 0, 1793606449705540, NULL);
INSERT INTO public.deliveries VALUES (7, 'msg_bb7a8e0a53e34133813f7c20f5d9a15d', 'ep_fcd55a68706b6c5c', 'dropped', 1793606444838437, 0, 0, 1793606449705540, NULL);
INSERT INTO public.deliveries VALUES (63, 'msg_eefbeb5eaa015b06e5f3c9549c08d46d', 'ep_fcd55a68706b6c5c', 'dropped', 1793606444838437, 0, 0, 1793606449705540, NULL);
INSERT INTO public.deliveries VALUES (59, 'msg_eefbeb5eaa015b06e5f3c9549c08d46d', 'ep_58f46774b9e57e0c', 'superseded', 1793606460000000, 0, 0, 1793606454593900, NULL);
INSERT INTO public.deliveries VALUES (60, 'msg_eefbeb5eaa015b06e5f3c9549c08d46d', 'ep_c2bc22483604fbbe', 'superseded', 1793606444838437, 0, 0, 1793606454593900, NULL);
INSERT INTO public.deliveries VALUES (67, 'msg_3975391bfdfe191e11385a5950324231', 'ep_58f46774b9e57e0c', 'digested', 1793606460000000, 0, 0, 1793606460049207, 'msg_55e0f36cbad91feb07eabefc6a15e637');
INSERT INTO public.deliveries VALUES (68, 'msg_3975391bfdfe191e11385a5950324231', 'ep_c2bc22483604fbbe', 'held', 1793606444838437, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (72, 'msg_3975391bfdfe191e11385a5950324231', 'ep_fd1fb1fc9f4e71ef', 'delivered', 1793606490102726, 1, 1, 1793606460406642, NULL);
INSERT INTO public.deliveries VALUES (79, 'msg_ac2c34eaadb07b57243323c681e3b2ac', 'ep_fd1fb1fc9f4e71ef', 'delivered', 1793606490102726, 1, 1, 1793606460406642, NULL);
INSERT INTO public.deliveries VALUES (74, 'msg_ac2c34eaadb07b57243323c681e3b2ac', 'ep_50c1ceabb23fbd02', 'pending', 1793606769393971, 2, 2, NULL, NULL);
INSERT INTO public.deliveries VALUES (83, 'msg_ea9e5baef90e2b89fdf8b412d47f9876', 'ep_58f46774b9e57e0c', 'gathered', 1793692860000000, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (84, 'msg_ea9e5baef90e2b89fdf8b412d47f9876', 'ep_c2bc22483604fbbe', 'held', 1793606463786301, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (85, 'msg_ea9e5baef90e2b89fdf8b412d47f9876', 'ep_d9819cc41201f3fe', 'held', 1793606463786301, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (81, 'msg_ea9e5baef90e2b89fdf8b412d47f9876', 'ep_22b451ce3517072d', 'delivered', 1793606494001484, 1, 1, 1793606464014623, NULL);
INSERT INTO public.deliveries VALUES (82, 'msg_ea9e5baef90e2b89fdf8b412d47f9876', 'ep_50c1ceabb23fbd02', 'pending', 1793606826284824, 2, 2, NULL, NULL);
INSERT INTO public.deliveries VALUES (22, 'msg_672b97b7633ca8a640b10fc823598c4d', 'ep_ef17ffe6404a6a1d', 'pending', 1793606476006679, 1, 1, NULL, NULL);
INSERT INTO public.deliveries VALUES (14, 'msg_80c426645ea85157f62ab1f74bbba10c', 'ep_ef17ffe6404a6a1d', 'pending', 1793606476099163, 1, 1, NULL, NULL);
INSERT INTO public.deliveries VALUES (6, 'msg_bb7a8e0a53e34133813f7c20f5d9a15d', 'ep_ef17ffe6404a6a1d', 'pending', 1793606476392545, 1, 1, NULL, NULL);
INSERT INTO public.deliveries VALUES (30, 'msg_3f052054538dff28850a0fb007e864de', 'ep_ef17ffe6404a6a1d', 'pending', 1793606502358688, 2, 1, NULL, NULL);
INSERT INTO public.deliveries VALUES (3, 'msg_bb7a8e0a53e34133813f7c20f5d9a15d', 'ep_58f46774b9e57e0c', 'delivered', 1793606475280311, 1, 1, 1793606445550081, NULL);
INSERT INTO public.deliveries VALUES (11, 'msg_80c426645ea85157f62ab1f74bbba10c', 'ep_58f46774b9e57e0c', 'delivered', 1793606475280311, 1, 1, 1793606445550081, NULL);
INSERT INTO public.deliveries VALUES (19, 'msg_672b97b7633ca8a640b10fc823598c4d', 'ep_58f46774b9e57e0c', 'delivered', 1793606475280311, 1, 1, 1793606445550081, NULL);
INSERT INTO public.deliveries VALUES (27, 'msg_3f052054538dff28850a0fb007e864de', 'ep_58f46774b9e57e0c', 'delivered', 1793606475280311, 1, 1, 1793606445550081, NULL);
INSERT INTO public.deliveries VALUES (35, 'msg_5cbf655dbd533b12e35fea6431e30b50', 'ep_58f46774b9e57e0c', 'delivered', 1793606475280311, 1, 1, 1793606445550081, NULL);
INSERT INTO public.deliveries VALUES (5, 'msg_bb7a8e0a53e34133813f7c20f5d9a15d', 'ep_d9819cc41201f3fe', 'failed', 1793606475280311, 1, 1, 1793606445550081, NULL);
INSERT INTO public.deliveries VALUES (13, 'msg_80c426645ea85157f62ab1f74bbba10c', 'ep_d9819cc41201f3fe', 'failed', 1793606475280311, 1, 1, 1793606445550081, NULL);
INSERT INTO public.deliveries VALUES (43, 'msg_a94f63678c71a8ce5acd3217c7258219', 'ep_58f46774b9e57e0c', 'delivered', 1793606475280311, 1, 1, 1793606445805611, NULL);
INSERT INTO public.deliveries VALUES (51, 'msg_203c9fb220acf99ac288f063c726f9b7', 'ep_58f46774b9e57e0c', 'delivered', 1793606475280311, 1, 1, 1793606445805611, NULL);
INSERT INTO public.deliveries VALUES (37, 'msg_5cbf655dbd533b12e35fea6431e30b50', 'ep_d9819cc41201f3fe', 'failed', 1793606475280311, 1, 1, 1793606445805611, NULL);
INSERT INTO public.deliveries VALUES (45, 'msg_a94f63678c71a8ce5acd3217c7258219', 'ep_d9819cc41201f3fe', 'failed', 1793606475280311, 1, 1, 1793606445805611, NULL);
INSERT INTO public.deliveries VALUES (53, 'msg_203c9fb220acf99ac288f063c726f9b7', 'ep_d9819cc41201f3fe', 'failed', 1793606475280311, 1, 1, 1793606445805611, NULL);
INSERT INTO public.deliveries VALUES (69, 'msg_3975391bfdfe191e11385a5950324231', 'ep_d9819cc41201f3fe', 'failed', 1793606475280311, 1, 1, 1793606445805611, NULL);
INSERT INTO public.deliveries VALUES (1, 'msg_bb7a8e0a53e34133813f7c20f5d9a15d', 'ep_22b451ce3517072d', 'delivered', 1793606475280311, 1, 1, 1793606446426613, NULL);
INSERT INTO public.deliveries VALUES (25, 'msg_3f052054538dff28850a0fb007e864de', 'ep_22b451ce3517072d', 'delivered', 1793606475280311, 1, 1, 1793606446426613, NULL);
INSERT INTO public.deliveries VALUES (9, 'msg_80c426645ea85157f62ab1f74bbba10c', 'ep_22b451ce3517072d', 'delivered', 1793606475280311, 1, 1, 1793606446426613, NULL);
INSERT INTO public.deliveries VALUES (17, 'msg_672b97b7633ca8a640b10fc823598c4d', 'ep_22b451ce3517072d', 'delivered', 1793606475280311, 1, 1, 1793606446426613, NULL);
INSERT INTO public.deliveries VALUES (49, 'msg_203c9fb220acf99ac288f063c726f9b7', 'ep_22b451ce3517072d', 'delivered', 1793606475280311, 1, 1, 1793606446426613, NULL);
INSERT INTO public.deliveries VALUES (33, 'msg_5cbf655dbd533b12e35fea6431e30b50', 'ep_22b451ce3517072d', 'delivered', 1793606475280311, 1, 1, 1793606446426613, NULL);
INSERT INTO public.deliveries VALUES (21, 'msg_672b97b7633ca8a640b10fc823598c4d', 'ep_d9819cc41201f3fe', 'failed', 1793606475280311, 1, 1, 1793606446426613, NULL);
INSERT INTO public.deliveries VALUES (29, 'msg_3f052054538dff28850a0fb007e864de', 'ep_d9819cc41201f3fe', 'failed', 1793606475280311, 1, 1, 1793606446426613, NULL);
INSERT INTO public.deliveries VALUES (65, 'msg_3975391bfdfe191e11385a5950324231', 'ep_22b451ce3517072d', 'delivered', 1793606475280311, 1, 1, 1793606446531071, NULL);
INSERT INTO public.deliveries VALUES (71, 'msg_3975391bfdfe191e11385a5950324231', 'ep_fcd55a68706b6c5c', 'dropped', 1793606444838437, 0, 0, 1793606449705540, NULL);
INSERT INTO public.deliveries VALUES (2, 'msg_bb7a8e0a53e34133813f7c20f5d9a15d', 'ep_50c1ceabb23fbd02', 'pending', 1793606721026843, 2, 2, NULL, NULL);
INSERT INTO public.deliveries VALUES (50, 'msg_203c9fb220acf99ac288f063c726f9b7', 'ep_50c1ceabb23fbd02', 'failed', 1793606481034804, 2, 2, 1793606451176216, NULL);
INSERT INTO public.deliveries VALUES (18, 'msg_672b97b7633ca8a640b10fc823598c4d', 'ep_50c1ceabb23fbd02', 'pending', 1793606734807253, 2, 2, NULL, NULL);
INSERT INTO public.deliveries VALUES (26, 'msg_3f052054538dff28850a0fb007e864de', 'ep_50c1ceabb23fbd02', 'pending', 1793606727307239, 2, 2, NULL, NULL);
INSERT INTO public.deliveries VALUES (42, 'msg_a94f63678c71a8ce5acd3217c7258219', 'ep_50c1ceabb23fbd02', 'pending', 1793606729854801, 2, 2, NULL, NULL);
INSERT INTO public.deliveries VALUES (66, 'msg_3975391bfdfe191e11385a5950324231', 'ep_50c1ceabb23fbd02', 'pending', 1793606776460581, 2, 2, NULL, NULL);
INSERT INTO public.deliveries VALUES (10, 'msg_80c426645ea85157f62ab1f74bbba10c', 'ep_50c1ceabb23fbd02', 'pending', 1793606730179251, 2, 2, NULL, NULL);
INSERT INTO public.deliveries VALUES (34, 'msg_5cbf655dbd533b12e35fea6431e30b50', 'ep_50c1ceabb23fbd02', 'pending', 1793606805092724, 2, 2, NULL, NULL);
INSERT INTO public.deliveries VALUES (58, 'msg_eefbeb5eaa015b06e5f3c9549c08d46d', 'ep_50c1ceabb23fbd02', 'superseded', 1793606745148962, 2, 2, 1793606454593900, NULL);
INSERT INTO public.deliveries VALUES (61, 'msg_eefbeb5eaa015b06e5f3c9549c08d46d', 'ep_d9819cc41201f3fe', 'superseded', 1793606475280311, 1, 1, 1793606454593900, NULL);
INSERT INTO public.deliveries VALUES (62, 'msg_eefbeb5eaa015b06e5f3c9549c08d46d', 'ep_ef17ffe6404a6a1d', 'superseded', 1793606475280311, 1, 0, 1793606454593900, NULL);
INSERT INTO public.deliveries VALUES (64, 'msg_eefbeb5eaa015b06e5f3c9549c08d46d', 'ep_fd1fb1fc9f4e71ef', 'superseded', 1793606444838437, 0, 0, 1793606454593900, NULL);
INSERT INTO public.deliveries VALUES (76, 'msg_ac2c34eaadb07b57243323c681e3b2ac', 'ep_c2bc22483604fbbe', 'held', 1793606455107010, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (77, 'msg_ac2c34eaadb07b57243323c681e3b2ac', 'ep_d9819cc41201f3fe', 'held', 1793606455107010, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (75, 'msg_ac2c34eaadb07b57243323c681e3b2ac', 'ep_58f46774b9e57e0c', 'delivered', 1793606485275208, 1, 1, 1793606455494049, NULL);
INSERT INTO public.deliveries VALUES (73, 'msg_ac2c34eaadb07b57243323c681e3b2ac', 'ep_22b451ce3517072d', 'delivered', 1793606485275208, 1, 1, 1793606455494049, NULL);
INSERT INTO public.deliveries VALUES (41, 'msg_a94f63678c71a8ce5acd3217c7258219', 'ep_22b451ce3517072d', 'delivered', 1793606475280311, 1, 1, 1793606446426613, NULL);
INSERT INTO public.deliveries VALUES (57, 'msg_eefbeb5eaa015b06e5f3c9549c08d46d', 'ep_22b451ce3517072d', 'delivered', 1793606475280311, 1, 1, 1793606446426613, NULL);
INSERT INTO public.deliveries VALUES (87, 'msg_ea9e5baef90e2b89fdf8b412d47f9876', 'ep_fd1fb1fc9f4e71ef', 'delivered', 1793606494001484, 1, 1, 1793606464014623, NULL);
INSERT INTO public.deliveries VALUES (86, 'msg_ea9e5baef90e2b89fdf8b412d47f9876', 'ep_ef17ffe6404a6a1d', 'pending', 1793606475506395, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (91, 'msg_5e790adac071833bfc12681585686b40', 'ep_c2bc22483604fbbe', 'held', 1793606472328204, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (92, 'msg_5e790adac071833bfc12681585686b40', 'ep_d9819cc41201f3fe', 'held', 1793606472328204, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (93, 'msg_5e790adac071833bfc12681585686b40', 'ep_ef17ffe6404a6a1d', 'pending', 1793606477411923, 0, 0, NULL, NULL);
INSERT INTO public.deliveries VALUES (94, 'msg_5e790adac071833bfc12681585686b40', 'ep_fd1fb1fc9f4e71ef', 'delivered', 1793606502411923, 1, 1, 1793606472550979, NULL);
INSERT INTO public.deliveries VALUES (89, 'msg_5e790adac071833bfc12681585686b40', 'ep_50c1ceabb23fbd02', 'pending', 1793606476981851, 1, 1, NULL, NULL);
INSERT INTO public.deliveries VALUES (90, 'msg_5e790adac071833bfc12681585686b40', 'ep_58f46774b9e57e0c', 'delivered', 1793606502411923, 1, 1, 1793606472593657, NULL);
INSERT INTO public.deliveries VALUES (88, 'msg_5e790adac071833bfc12681585686b40', 'ep_22b451ce3517072d', 'delivered', 1793606502411923, 1, 1, 1793606472593657, NULL);


--
-- Data for Name: endpoints; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.endpoints VALUES ('ep_22b451ce3517072d', 'http://receiver.example/well', '', '{}', '{}', '{}', 'whsec_XlNBnUm2IwohGxGty8ybogRF+JBvBb9gj47wIvsjW2I=', NULL, NULL, 'active', NULL, 1793606405160903, NULL, NULL, NULL);
INSERT INTO public.endpoints VALUES ('ep_58f46774b9e57e0c', 'http://receiver.example/digest', '', '{}', '{"digest":{"at":"08:01:00"}}', '{}', 'whsec_l42WloZXz5A2qhxFsTBYHOCQQL6lgPjdtwISHdYA6Pg=', NULL, NULL, 'active', NULL, 1793606426296378, NULL, NULL, NULL);
INSERT INTO public.endpoints VALUES ('ep_c2bc22483604fbbe', 'http://receiver.example/paused', '', '{}', '{}', '{}', 'whsec_EleLKD52ZdBWmrLeXOuw1UHg26JgdFTTA9nFnIV3Xh8=', NULL, NULL, 'paused', NULL, 1793606413592351, 1793606430259156, NULL, NULL);
INSERT INTO public.endpoints VALUES ('ep_d9819cc41201f3fe', 'http://receiver.example/gone', '', '{}', '{}', '{}', 'whsec_sdgHLoyXJGDxAwo/fwYA1ZEUfkcS+tP/fhwU9VBq9xM=', NULL, NULL, 'disabled', 'its receiver answered 410 (gone)', 1793606423158356, 1793606445550081, 1793606445550081, NULL);
INSERT INTO public.endpoints VALUES ('ep_50c1ceabb23fbd02', 'http://receiver.example/down', '', '{}', '{}', '{}', 'whsec_itThe66ZpnweH37Vaxo4FfBotw3vlupbdlDdHYMQRLw=', NULL, NULL, 'active', NULL, 1793606408807240, NULL, 1793606446426613, NULL);
INSERT INTO public.endpoints VALUES ('ep_fcd55a68706b6c5c', 'http://receiver.example/removed', '', '{}', '{}', '{}', '', NULL, NULL, 'removed', NULL, 1793606418208880, 1793606449705540, NULL, NULL);
INSERT INTO public.endpoints VALUES ('ep_fd1fb1fc9f4e71ef', 'http://receiver.example/late', '', '{}', '{}', '{}', 'whsec_kip1lkZO+2639z/HfCiK5hpWSbUuH8qFJ++hL6hnqs4=', NULL, NULL, 'active', NULL, 1793606415602635, 1793606459299326, NULL, NULL);
INSERT INTO public.endpoints VALUES ('ep_ef17ffe6404a6a1d', 'http://receiver.example/slow', '', '{}', '{}', '{}', 'whsec_iSgncQ8X9O8Vu0f52gz7qTWwmgMaWkN5vbmL6S29ffs=', NULL, NULL, 'active', NULL, 1793606420476150, NULL, 1793606460414536, NULL);


--
-- Data for Name: events; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.events VALUES ('699737e1-573d-522d-8ce3-7b1cab7c4028', 'desk', 'later', 'e5c5c537578126994901862f48a23d769b8c6f024f860e7f14d01b49b7496ad1', 3, '{"event":{"calendar":"desk","slug":"later","uid":"699737e1-573d-522d-8ce3-7b1cab7c4028","summary":{"en":"Much later"},"start":"2026-12-01T12:00:00+00:00","time_zone":"UTC","language":"en","reminders":[{"before":"1 hour"}]},"sequence":1,"created":"2026-11-02T08:00:44Z","modified":"2026-11-02T08:01:12Z"}', '\x424547494e3a564556454e540d0a53554d4d4152593b4c414e47554147453d656e3a4d756368206c617465720d0a445453544152543a3230323631323031543132303030305a0d0a44545354414d503a3230323631313032543038303131325a0d0a5549443a36393937333765312d353733642d353232642d386365332d3762316361623763343032380d0a53455155454e43453a310d0a435245415445443a3230323631313032543038303034345a0d0a4c4153542d4d4f4449464945443a3230323631313032543038303131325a0d0a5354415455533a434f4e4649524d45440d0a5452414e53503a4f50415155450d0a424547494e3a56414c41524d0d0a414354494f4e3a444953504c41590d0a4445534352495054494f4e3a4d756368206c617465720d0a545249474745523a2d505431480d0a454e443a56414c41524d0d0a454e443a564556454e540d0a', 2026, NULL, NULL);
INSERT INTO public.events VALUES ('b191efd8-0688-5a6f-aea6-104c6b75f7d0', 'desk', 'begins', '10d434469cdc6969ed2162b4419ca5dcaff8c8425c06a3f98e19a5b49a5eb6a1', 3, '{"event":{"calendar":"desk","slug":"begins","uid":"b191efd8-0688-5a6f-aea6-104c6b75f7d0","summary":{"en":"It begins"},"start":"2026-11-02T08:00:55+00:00","time_zone":"UTC","language":"en","reminders":[{"before":"1 hour"}]},"sequence":0,"created":"2026-11-02T08:00:44Z","modified":"2026-11-02T08:00:44Z"}', '\x424547494e3a564556454e540d0a53554d4d4152593b4c414e47554147453d656e3a497420626567696e730d0a445453544152543a3230323631313032543038303035355a0d0a44545354414d503a3230323631313032543038303034345a0d0a5549443a62313931656664382d303638382d356136662d616561362d3130346336623735663764300d0a53455155454e43453a300d0a435245415445443a3230323631313032543038303034345a0d0a4c4153542d4d4f4449464945443a3230323631313032543038303034345a0d0a5354415455533a434f4e4649524d45440d0a5452414e53503a4f50415155450d0a424547494e3a56414c41524d0d0a414354494f4e3a444953504c41590d0a4445534352495054494f4e3a497420626567696e730d0a545249474745523a2d505431480d0a454e443a56414c41524d0d0a454e443a564556454e540d0a', 2026, NULL, NULL);
INSERT INTO public.events VALUES ('8e188a47-bfa2-5081-bfb2-d8e345e190d0', 'desk', 'first', 'e468925fbaa2e7f0de8ec8aeb3b32449547722fa336f7a6be34790ec5451ffa5', 3, '{"event":{"calendar":"desk","slug":"first","uid":"8e188a47-bfa2-5081-bfb2-d8e345e190d0","summary":{"en":"First"},"start":"2030-01-01","end":"2030-01-02","time_zone":"UTC","language":"en","reminders":[{"before":"1 hour"}]},"sequence":1,"created":"2026-11-02T08:00:02Z","modified":"2026-11-02T08:00:44Z"}', '\x424547494e3a564556454e540d0a53554d4d4152593b4c414e47554147453d656e3a46697273740d0a445453544152543b56414c55453d444154453a32303330303130310d0a4454454e443b56414c55453d444154453a32303330303130320d0a44545354414d503a3230323631313032543038303034345a0d0a5549443a38653138386134372d626661322d353038312d626662322d6438653334356531393064300d0a53455155454e43453a310d0a435245415445443a3230323631313032543038303030325a0d0a4c4153542d4d4f4449464945443a3230323631313032543038303034345a0d0a5354415455533a434f4e4649524d45440d0a5452414e53503a5452414e53504152454e540d0a424547494e3a56414c41524d0d0a414354494f4e3a444953504c41590d0a4445534352495054494f4e3a46697273740d0a545249474745523a2d505431480d0a454e443a56414c41524d0d0a454e443a564556454e540d0a', 2030, NULL, 1828166444402822);
INSERT INTO public.events VALUES ('9354be29-1f6d-5186-9e5c-ce1e670e38e2', 'desk', 'next', 'fae4e27611d3e4705d751964601ff5319d2c17165177a368916bd4b23b230f81', 3, '{"event":{"calendar":"desk","slug":"next","uid":"9354be29-1f6d-5186-9e5c-ce1e670e38e2","summary":{"en":"Next"},"start":"2026-12-02T08:01:04+00:00","time_zone":"UTC","language":"en","reminders":[{"before":"30 days"}]},"sequence":0,"created":"2026-11-02T08:00:44Z","modified":"2026-11-02T08:00:44Z"}', '\x424547494e3a564556454e540d0a53554d4d4152593b4c414e47554147453d656e3a4e6578740d0a445453544152543a3230323631323032543038303130345a0d0a44545354414d503a3230323631313032543038303034345a0d0a5549443a39333534626532392d316636642d353138362d396535632d6365316536373065333865320d0a53455155454e43453a300d0a435245415445443a3230323631313032543038303034345a0d0a4c4153542d4d4f4449464945443a3230323631313032543038303034345a0d0a5354415455533a434f4e4649524d45440d0a5452414e53503a4f50415155450d0a424547494e3a56414c41524d0d0a414354494f4e3a444953504c41590d0a4445534352495054494f4e3a4e6578740d0a545249474745523a2d503330440d0a454e443a56414c41524d0d0a454e443a564556454e540d0a', 2026, NULL, NULL);
INSERT INTO public.events VALUES ('538a4f2a-8995-579c-be70-61c63111441a', 'desk', 'soon', '549e85768fb2f6049e6def7488d3677fb0e4a6ba2e0e87e63f83eb01a4f4ca47', 3, '{"event":{"calendar":"desk","slug":"soon","uid":"538a4f2a-8995-579c-be70-61c63111441a","summary":{"en":"Soon"},"start":"2026-11-02T09:00:25+00:00","time_zone":"UTC","language":"en","reminders":[{"before":"1 hour"}]},"sequence":0,"created":"2026-11-02T08:00:44Z","modified":"2026-11-02T08:00:44Z"}', '\x424547494e3a564556454e540d0a53554d4d4152593b4c414e47554147453d656e3a536f6f6e0d0a445453544152543a3230323631313032543039303032355a0d0a44545354414d503a3230323631313032543038303034345a0d0a5549443a35333861346632612d383939352d353739632d626537302d3631633633313131343431610d0a53455155454e43453a300d0a435245415445443a3230323631313032543038303034345a0d0a4c4153542d4d4f4449464945443a3230323631313032543038303034345a0d0a5354415455533a434f4e4649524d45440d0a5452414e53503a4f50415155450d0a424547494e3a56414c41524d0d0a414354494f4e3a444953504c41590d0a4445534352495054494f4e3a536f6f6e0d0a545249474745523a2d505431480d0a454e443a56414c41524d0d0a454e443a564556454e540d0a', 2026, NULL, NULL);
INSERT INTO public.events VALUES ('f3579e22-7f0a-5646-8819-6a38619c5189', 'desk', 'moves', '733d1702085fe4560927ac32e3b8d374ee9c5de56fdfeab42c23ba4c8f87a179', 3, '{"event":{"calendar":"desk","slug":"moves","uid":"f3579e22-7f0a-5646-8819-6a38619c5189","summary":{"en":"It moves"},"start":"2026-11-03T09:00:25+00:00","time_zone":"UTC","language":"en","reminders":[{"before":"1 hour"}]},"sequence":1,"created":"2026-11-02T08:00:44Z","modified":"2026-11-02T08:00:54Z","history":[{"start":"2026-11-02T09:00:25+00:00","time_zone":"UTC","on":"2026-11-02"}]}', '\x424547494e3a564556454e540d0a53554d4d4152593b4c414e47554147453d656e3a4974206d6f7665730d0a445453544152543a3230323631313033543039303032355a0d0a44545354414d503a3230323631313032543038303035345a0d0a5549443a66333537396532322d376630612d353634362d383831392d3661333836313963353138390d0a53455155454e43453a310d0a435245415445443a3230323631313032543038303034345a0d0a4445534352495054494f4e3a5761732032204e6f76656d62657220323032365c2c2030393a3030205554435c3b206d6f766564206f6e2032204e6f76656d62657220323032360d0a4c4153542d4d4f4449464945443a3230323631313032543038303035345a0d0a5354415455533a434f4e4649524d45440d0a5452414e53503a4f50415155450d0a424547494e3a56414c41524d0d0a414354494f4e3a444953504c41590d0a4445534352495054494f4e3a4974206d6f7665730d0a545249474745523a2d505431480d0a454e443a56414c41524d0d0a454e443a564556454e540d0a', 2026, NULL, NULL);


--
-- Data for Name: messages; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.messages VALUES ('msg_bb7a8e0a53e34133813f7c20f5d9a15d', '{"type":"event.added","calendar":"desk","event":"begins"}', 1793606444402822, NULL, NULL, 'It begins: new, 2 November 2026, 08:00 UTC', '\x7b2274797065223a226576656e742e6164646564222c2274696d657374616d70223a22323032362d31312d30325430383a30303a34342e3430325a222c2264617461223a7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a22626567696e73222c22756964223a2262313931656664382d303638382d356136662d616561362d313034633662373566376430222c2273657175656e6365223a302c2273756d6d617279223a22497420626567696e73222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323032362d31312d30325430383a30303a35352b30303a3030222c22656e64223a22323032362d31312d30325430383a30303a35352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f626567696e732f222c22736f7572636573223a5b5d7d2c2274657874223a22497420626567696e733a206e65772c2032204e6f76656d62657220323032362c2030383a303020555443227d7d', 'b191efd8-0688-5a6f-aea6-104c6b75f7d0', NULL, NULL);
INSERT INTO public.messages VALUES ('msg_55e0f36cbad91feb07eabefc6a15e637', '{"type":"reminder.digest","calendar":"","event":""}', 1793606460049207, NULL, 1793610025000000, '1 date: Soon: 2 November 2026, 09:00 UTC, in 59 minutes', '\x7b2274797065223a2272656d696e6465722e646967657374222c2274696d657374616d70223a22323032362d31312d30325430383a30313a30302e3034395a222c2264617461223a7b2272656d696e64657273223a5b7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a22736f6f6e222c22756964223a2235333861346632612d383939352d353739632d626537302d363163363331313134343161222c2273657175656e6365223a302c2273756d6d617279223a22536f6f6e222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323032362d31312d30325430393a30303a32352b30303a3030222c22656e64223a22323032362d31312d30325430393a30303a32352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f736f6f6e2f222c22736f7572636573223a5b5d7d2c226f6363757272656e6365223a7b226964223a22222c227374617274223a22323032362d31312d30325430393a30303a32352b30303a3030222c22656e64223a22323032362d31312d30325430393a30303a32352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443227d2c2272656d696e646572223a7b2272756c65223a223120686f7572206265666f7265222c22647565223a22323032362d31312d30325430383a30303a32352b30303a3030222c226c6174655f7365636f6e6473223a307d2c2274657874223a22536f6f6e3a2032204e6f76656d62657220323032362c2030393a3030205554432c20696e203539206d696e75746573227d5d2c2274657874223a223120646174653a20536f6f6e3a2032204e6f76656d62657220323032362c2030393a3030205554432c20696e203539206d696e75746573227d7d', NULL, NULL, NULL);
INSERT INTO public.messages VALUES ('msg_ea9e5baef90e2b89fdf8b412d47f9876', '{"type":"reminder.due","calendar":"desk","event":"next"}', 1793606464000000, 1793606464000000, 1796198464000000, 'Next: 2 December 2026, 08:01 UTC, in 30 days', '\x7b2274797065223a2272656d696e6465722e647565222c2274696d657374616d70223a22323032362d31312d30325430383a30313a30342e3030305a222c2264617461223a7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a226e657874222c22756964223a2239333534626532392d316636642d353138362d396535632d636531653637306533386532222c2273657175656e6365223a302c2273756d6d617279223a224e657874222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323032362d31322d30325430383a30313a30342b30303a3030222c22656e64223a22323032362d31322d30325430383a30313a30342b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f6e6578742f222c22736f7572636573223a5b5d7d2c226f6363757272656e6365223a7b226964223a22222c227374617274223a22323032362d31322d30325430383a30313a30342b30303a3030222c22656e64223a22323032362d31322d30325430383a30313a30342b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443227d2c2272656d696e646572223a7b2272756c65223a2233302064617973206265666f7265222c22647565223a22323032362d31312d30325430383a30313a30342b30303a3030222c226c6174655f7365636f6e6473223a307d2c2274657874223a224e6578743a203220446563656d62657220323032362c2030383a3031205554432c20696e2033302064617973227d7d', '9354be29-1f6d-5186-9e5c-ce1e670e38e2', 'bdfdd58edb529ba13a655a80e5229680fd4e61aa', NULL);
INSERT INTO public.messages VALUES ('msg_80c426645ea85157f62ab1f74bbba10c', '{"type":"event.changed","calendar":"desk","event":"first"}', 1793606444402822, NULL, NULL, 'First: changed, 1 January 2030', '\x7b2274797065223a226576656e742e6368616e676564222c2274696d657374616d70223a22323032362d31312d30325430383a30303a34342e3430325a222c2264617461223a7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a226669727374222c22756964223a2238653138386134372d626661322d353038312d626662322d643865333435653139306430222c2273657175656e6365223a312c2273756d6d617279223a224669727374222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323033302d30312d3031222c22656e64223a22323033302d30312d3032222c22616c6c5f646179223a747275652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f66697273742f222c22736f7572636573223a5b5d7d2c2270726576696f7573223a7b227374617274223a22323033302d30312d3031222c22656e64223a22323033302d30312d3032222c22616c6c5f646179223a747275652c2274696d655f7a6f6e65223a22555443222c2273756d6d617279223a224669727374227d2c2274657874223a2246697273743a206368616e6765642c2031204a616e756172792032303330227d7d', '8e188a47-bfa2-5081-bfb2-d8e345e190d0', NULL, NULL);
INSERT INTO public.messages VALUES ('msg_672b97b7633ca8a640b10fc823598c4d', '{"type":"event.added","calendar":"desk","event":"later"}', 1793606444402822, NULL, NULL, 'Later: new, 1 December 2026, 12:00 UTC', '\x7b2274797065223a226576656e742e6164646564222c2274696d657374616d70223a22323032362d31312d30325430383a30303a34342e3430325a222c2264617461223a7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a226c61746572222c22756964223a2236393937333765312d353733642d353232642d386365332d376231636162376334303238222c2273657175656e6365223a302c2273756d6d617279223a224c61746572222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323032362d31322d30315431323a30303a30302b30303a3030222c22656e64223a22323032362d31322d30315431323a30303a30302b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f6c617465722f222c22736f7572636573223a5b5d7d2c2274657874223a224c617465723a206e65772c203120446563656d62657220323032362c2031323a303020555443227d7d', '699737e1-573d-522d-8ce3-7b1cab7c4028', NULL, NULL);
INSERT INTO public.messages VALUES ('msg_3f052054538dff28850a0fb007e864de', '{"type":"event.added","calendar":"desk","event":"moves"}', 1793606444402822, NULL, NULL, 'It moves: new, 2 November 2026, 09:00 UTC', '\x7b2274797065223a226576656e742e6164646564222c2274696d657374616d70223a22323032362d31312d30325430383a30303a34342e3430325a222c2264617461223a7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a226d6f766573222c22756964223a2266333537396532322d376630612d353634362d383831392d366133383631396335313839222c2273657175656e6365223a302c2273756d6d617279223a224974206d6f766573222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323032362d31312d30325430393a30303a32352b30303a3030222c22656e64223a22323032362d31312d30325430393a30303a32352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f6d6f7665732f222c22736f7572636573223a5b5d7d2c2274657874223a224974206d6f7665733a206e65772c2032204e6f76656d62657220323032362c2030393a303020555443227d7d', 'f3579e22-7f0a-5646-8819-6a38619c5189', NULL, NULL);
INSERT INTO public.messages VALUES ('msg_5cbf655dbd533b12e35fea6431e30b50', '{"type":"event.added","calendar":"desk","event":"next"}', 1793606444402822, NULL, NULL, 'Next: new, 2 December 2026, 08:01 UTC', '\x7b2274797065223a226576656e742e6164646564222c2274696d657374616d70223a22323032362d31312d30325430383a30303a34342e3430325a222c2264617461223a7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a226e657874222c22756964223a2239333534626532392d316636642d353138362d396535632d636531653637306533386532222c2273657175656e6365223a302c2273756d6d617279223a224e657874222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323032362d31322d30325430383a30313a30342b30303a3030222c22656e64223a22323032362d31322d30325430383a30313a30342b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f6e6578742f222c22736f7572636573223a5b5d7d2c2274657874223a224e6578743a206e65772c203220446563656d62657220323032362c2030383a303120555443227d7d', '9354be29-1f6d-5186-9e5c-ce1e670e38e2', NULL, NULL);
INSERT INTO public.messages VALUES ('msg_a94f63678c71a8ce5acd3217c7258219', '{"type":"event.added","calendar":"desk","event":"soon"}', 1793606444402822, NULL, NULL, 'Soon: new, 2 November 2026, 09:00 UTC', '\x7b2274797065223a226576656e742e6164646564222c2274696d657374616d70223a22323032362d31312d30325430383a30303a34342e3430325a222c2264617461223a7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a22736f6f6e222c22756964223a2235333861346632612d383939352d353739632d626537302d363163363331313134343161222c2273657175656e6365223a302c2273756d6d617279223a22536f6f6e222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323032362d31312d30325430393a30303a32352b30303a3030222c22656e64223a22323032362d31312d30325430393a30303a32352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f736f6f6e2f222c22736f7572636573223a5b5d7d2c2274657874223a22536f6f6e3a206e65772c2032204e6f76656d62657220323032362c2030393a303020555443227d7d', '538a4f2a-8995-579c-be70-61c63111441a', NULL, NULL);
INSERT INTO public.messages VALUES ('msg_203c9fb220acf99ac288f063c726f9b7', '{"type":"reminder.due","calendar":"desk","event":"begins"}', 1793606444604747, NULL, 1793606455000000, 'It begins: 2 November 2026, 08:00 UTC, now (this reminder is 59 minutes late)', '\x7b2274797065223a2272656d696e6465722e647565222c2274696d657374616d70223a22323032362d31312d30325430383a30303a34342e3630345a222c2264617461223a7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a22626567696e73222c22756964223a2262313931656664382d303638382d356136662d616561362d313034633662373566376430222c2273657175656e6365223a302c2273756d6d617279223a22497420626567696e73222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323032362d31312d30325430383a30303a35352b30303a3030222c22656e64223a22323032362d31312d30325430383a30303a35352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f626567696e732f222c22736f7572636573223a5b5d7d2c226f6363757272656e6365223a7b226964223a22222c227374617274223a22323032362d31312d30325430383a30303a35352b30303a3030222c22656e64223a22323032362d31312d30325430383a30303a35352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443227d2c2272656d696e646572223a7b2272756c65223a223120686f7572206265666f7265222c22647565223a22323032362d31312d30325430373a30303a35352b30303a3030222c226c6174655f7365636f6e6473223a333538397d2c2274657874223a22497420626567696e733a2032204e6f76656d62657220323032362c2030383a3030205554432c206e6f772028746869732072656d696e646572206973203539206d696e75746573206c61746529227d7d', 'b191efd8-0688-5a6f-aea6-104c6b75f7d0', '622deb77bded6de05b0f0ddb5cf928a1623d0354', NULL);
INSERT INTO public.messages VALUES ('msg_eefbeb5eaa015b06e5f3c9549c08d46d', '{"type":"reminder.due","calendar":"desk","event":"moves"}', 1793606444604747, NULL, 1793610025000000, 'It moves: 2 November 2026, 09:00 UTC, in 1 hour', '\x7b2274797065223a2272656d696e6465722e647565222c2274696d657374616d70223a22323032362d31312d30325430383a30303a34342e3630345a222c2264617461223a7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a226d6f766573222c22756964223a2266333537396532322d376630612d353634362d383831392d366133383631396335313839222c2273657175656e6365223a302c2273756d6d617279223a224974206d6f766573222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323032362d31312d30325430393a30303a32352b30303a3030222c22656e64223a22323032362d31312d30325430393a30303a32352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f6d6f7665732f222c22736f7572636573223a5b5d7d2c226f6363757272656e6365223a7b226964223a22222c227374617274223a22323032362d31312d30325430393a30303a32352b30303a3030222c22656e64223a22323032362d31312d30325430393a30303a32352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443227d2c2272656d696e646572223a7b2272756c65223a223120686f7572206265666f7265222c22647565223a22323032362d31312d30325430383a30303a32352b30303a3030222c226c6174655f7365636f6e6473223a307d2c2274657874223a224974206d6f7665733a2032204e6f76656d62657220323032362c2030393a3030205554432c20696e203120686f7572227d7d', 'f3579e22-7f0a-5646-8819-6a38619c5189', 'deab7ef30d0d8ba38e5b5d41ffaa1243c639964e', NULL);
INSERT INTO public.messages VALUES ('msg_3975391bfdfe191e11385a5950324231', '{"type":"reminder.due","calendar":"desk","event":"soon"}', 1793606444604747, NULL, 1793610025000000, 'Soon: 2 November 2026, 09:00 UTC, in 1 hour', '\x7b2274797065223a2272656d696e6465722e647565222c2274696d657374616d70223a22323032362d31312d30325430383a30303a34342e3630345a222c2264617461223a7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a22736f6f6e222c22756964223a2235333861346632612d383939352d353739632d626537302d363163363331313134343161222c2273657175656e6365223a302c2273756d6d617279223a22536f6f6e222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323032362d31312d30325430393a30303a32352b30303a3030222c22656e64223a22323032362d31312d30325430393a30303a32352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f736f6f6e2f222c22736f7572636573223a5b5d7d2c226f6363757272656e6365223a7b226964223a22222c227374617274223a22323032362d31312d30325430393a30303a32352b30303a3030222c22656e64223a22323032362d31312d30325430393a30303a32352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443227d2c2272656d696e646572223a7b2272756c65223a223120686f7572206265666f7265222c22647565223a22323032362d31312d30325430383a30303a32352b30303a3030222c226c6174655f7365636f6e6473223a307d2c2274657874223a22536f6f6e3a2032204e6f76656d62657220323032362c2030393a3030205554432c20696e203120686f7572227d7d', '538a4f2a-8995-579c-be70-61c63111441a', '7a396fca2e6a1d0605235e377e3147ec222c8908', NULL);
INSERT INTO public.messages VALUES ('msg_ac2c34eaadb07b57243323c681e3b2ac', '{"type":"event.moved","calendar":"desk","event":"moves"}', 1793606454593900, NULL, NULL, 'It moves: moved from 2 November 2026, 09:00 UTC to 3 November 2026, 09:00 UTC', '\x7b2274797065223a226576656e742e6d6f766564222c2274696d657374616d70223a22323032362d31312d30325430383a30303a35342e3539335a222c2264617461223a7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a226d6f766573222c22756964223a2266333537396532322d376630612d353634362d383831392d366133383631396335313839222c2273657175656e6365223a312c2273756d6d617279223a224974206d6f766573222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323032362d31312d30335430393a30303a32352b30303a3030222c22656e64223a22323032362d31312d30335430393a30303a32352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f6d6f7665732f222c22736f7572636573223a5b5d7d2c2270726576696f7573223a7b227374617274223a22323032362d31312d30325430393a30303a32352b30303a3030222c22656e64223a22323032362d31312d30325430393a30303a32352b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2273756d6d617279223a224974206d6f766573227d2c2274657874223a224974206d6f7665733a206d6f7665642066726f6d2032204e6f76656d62657220323032362c2030393a30302055544320746f2033204e6f76656d62657220323032362c2030393a303020555443227d7d', 'f3579e22-7f0a-5646-8819-6a38619c5189', NULL, NULL);
INSERT INTO public.messages VALUES ('msg_5e790adac071833bfc12681585686b40', '{"type":"event.changed","calendar":"desk","event":"later"}', 1793606472158868, NULL, NULL, 'Much later: changed, 1 December 2026, 12:00 UTC', '\x7b2274797065223a226576656e742e6368616e676564222c2274696d657374616d70223a22323032362d31312d30325430383a30313a31322e3135385a222c2264617461223a7b226576656e74223a7b2263616c656e646172223a226465736b222c22736c7567223a226c61746572222c22756964223a2236393937333765312d353733642d353232642d386365332d376231636162376334303238222c2273657175656e6365223a312c2273756d6d617279223a224d756368206c61746572222c22737461747573223a22636f6e6669726d6564222c226b696e64223a226576656e74222c2263617465676f72696573223a5b5d2c227374617274223a22323032362d31322d30315431323a30303a30302b30303a3030222c22656e64223a22323032362d31322d30315431323a30303a30302b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2270616765223a22687474703a2f2f3132372e302e302e313a383030302f63616c656e646172732f6465736b2f6c617465722f222c22736f7572636573223a5b5d7d2c2270726576696f7573223a7b227374617274223a22323032362d31322d30315431323a30303a30302b30303a3030222c22656e64223a22323032362d31322d30315431323a30303a30302b30303a3030222c22616c6c5f646179223a66616c73652c2274696d655f7a6f6e65223a22555443222c2273756d6d617279223a224c61746572227d2c2274657874223a224d756368206c617465723a206368616e6765642c203120446563656d62657220323032362c2031323a303020555443227d7d', '699737e1-573d-522d-8ce3-7b1cab7c4028', NULL, NULL);


--
-- Data for Name: polls; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: publishes; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.publishes VALUES (1, 1793606402882249, '1 event added, 1 calendar new or changed', '[{"change": "added", "calendar": "desk", "event": "first", "summary": "First", "sequence": 0, "start": "2030-01-01", "end": "2030-01-02", "all_day": true, "time_zone": "UTC"}]', 'root', 'calfeed publish');
INSERT INTO public.publishes VALUES (2, 1793606444402822, '5 events added, 1 event changed; 5 reminders planned, 0 withdrawn', '[{"change": "added", "calendar": "desk", "event": "begins", "summary": "It begins", "sequence": 0, "start": "2026-11-02T08:00:55+00:00", "end": "2026-11-02T08:00:55+00:00", "all_day": false, "time_zone": "UTC"}, {"change": "changed", "calendar": "desk", "event": "first", "summary": "First", "sequence": 1, "start": "2030-01-01", "end": "2030-01-02", "all_day": true, "time_zone": "UTC"}, {"change": "added", "calendar": "desk", "event": "later", "summary": "Later", "sequence": 0, "start": "2026-12-01T12:00:00+00:00", "end": "2026-12-01T12:00:00+00:00", "all_day": false, "time_zone": "UTC"}, {"change": "added", "calendar": "desk", "event": "moves", "summary": "It moves", "sequence": 0, "start": "2026-11-02T09:00:25+00:00", "end": "2026-11-02T09:00:25+00:00", "all_day": false, "time_zone": "UTC"}, {"change": "added", "calendar": "desk", "event": "next", "summary": "Next", "sequence": 0, "start": "2026-12-02T08:01:04+00:00", "end": "2026-12-02T08:01:04+00:00", "all_day": false, "time_zone": "UTC"}, {"change": "added", "calendar": "desk", "event": "soon", "summary": "Soon", "sequence": 0, "start": "2026-11-02T09:00:25+00:00", "end": "2026-11-02T09:00:25+00:00", "all_day": false, "time_zone": "UTC"}]', 'root', 'calfeed publish');
INSERT INTO public.publishes VALUES (3, 1793606454593900, '1 event moved; 1 reminder planned, 1 withdrawn', '[{"change": "moved", "calendar": "desk", "event": "moves", "summary": "It moves", "sequence": 1, "start": "2026-11-03T09:00:25+00:00", "end": "2026-11-03T09:00:25+00:00", "all_day": false, "time_zone": "UTC", "previous": {"start": "2026-11-02T09:00:25+00:00", "end": "2026-11-02T09:00:25+00:00", "all_day": false, "time_zone": "UTC"}}]', 'root', 'calfeed publish');
INSERT INTO public.publishes VALUES (4, 1793606472158868, '1 event changed', '[{"change": "changed", "calendar": "desk", "event": "later", "summary": "Much later", "sequence": 1, "start": "2026-12-01T12:00:00+00:00", "end": "2026-12-01T12:00:00+00:00", "all_day": false, "time_zone": "UTC"}]', 'root', 'calfeed publish');


--
-- Data for Name: rehearsals; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: reminders; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.reminders VALUES ('e2e7f350a9b9fb065c56a8c39b3e0455a30cd407', '699737e1-573d-522d-8ce3-7b1cab7c4028', '', 1796126400000000, '1 hour before', 1796122800000000, 1796126400000000, 'planned', NULL);
INSERT INTO public.reminders VALUES ('622deb77bded6de05b0f0ddb5cf928a1623d0354', 'b191efd8-0688-5a6f-aea6-104c6b75f7d0', '', 1793606455000000, '1 hour before', 1793602855000000, 1793606455000000, 'sent', 1793606444604747);
INSERT INTO public.reminders VALUES ('7a396fca2e6a1d0605235e377e3147ec222c8908', '538a4f2a-8995-579c-be70-61c63111441a', '', 1793610025000000, '1 hour before', 1793606425000000, 1793610025000000, 'sent', 1793606444604747);
INSERT INTO public.reminders VALUES ('deab7ef30d0d8ba38e5b5d41ffaa1243c639964e', 'f3579e22-7f0a-5646-8819-6a38619c5189', '', 1793610025000000, '1 hour before', 1793606425000000, 1793610025000000, 'recalled', 1793606454593900);
INSERT INTO public.reminders VALUES ('dd2c5c44142ed99bc97e7fcd4dbba31e356fa06a', 'f3579e22-7f0a-5646-8819-6a38619c5189', '', 1793696425000000, '1 hour before', 1793692825000000, 1793696425000000, 'planned', NULL);
INSERT INTO public.reminders VALUES ('bdfdd58edb529ba13a655a80e5229680fd4e61aa', '9354be29-1f6d-5186-9e5c-ce1e670e38e2', '', 1796198464000000, '30 days before', 1793606464000000, 1796198464000000, 'sent', 1793606464000000);


--
-- Data for Name: renderings; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: revisions; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.revisions VALUES ('8e188a47-bfa2-5081-bfb2-d8e345e190d0', 0, 'desk', 'added', 1793606402000000, '{"event":{"calendar":"desk","slug":"first","uid":"8e188a47-bfa2-5081-bfb2-d8e345e190d0","summary":{"en":"First"},"start":"2030-01-01","end":"2030-01-02","time_zone":"UTC","language":"en"},"sequence":0,"created":"2026-11-02T08:00:02Z","modified":"2026-11-02T08:00:02Z"}', 1);
INSERT INTO public.revisions VALUES ('b191efd8-0688-5a6f-aea6-104c6b75f7d0', 0, 'desk', 'added', 1793606444000000, '{"event":{"calendar":"desk","slug":"begins","uid":"b191efd8-0688-5a6f-aea6-104c6b75f7d0","summary":{"en":"It begins"},"start":"2026-11-02T08:00:55+00:00","time_zone":"UTC","language":"en","reminders":[{"before":"1 hour"}]},"sequence":0,"created":"2026-11-02T08:00:44Z","modified":"2026-11-02T08:00:44Z"}', 2);
INSERT INTO public.revisions VALUES ('8e188a47-bfa2-5081-bfb2-d8e345e190d0', 1, 'desk', 'changed', 1793606444000000, '{"event":{"calendar":"desk","slug":"first","uid":"8e188a47-bfa2-5081-bfb2-d8e345e190d0","summary":{"en":"First"},"start":"2030-01-01","end":"2030-01-02","time_zone":"UTC","language":"en","reminders":[{"before":"1 hour"}]},"sequence":1,"created":"2026-11-02T08:00:02Z","modified":"2026-11-02T08:00:44Z"}', 2);
INSERT INTO public.revisions VALUES ('699737e1-573d-522d-8ce3-7b1cab7c4028', 0, 'desk', 'added', 1793606444000000, '{"event":{"calendar":"desk","slug":"later","uid":"699737e1-573d-522d-8ce3-7b1cab7c4028","summary":{"en":"Later"},"start":"2026-12-01T12:00:00+00:00","time_zone":"UTC","language":"en","reminders":[{"before":"1 hour"}]},"sequence":0,"created":"2026-11-02T08:00:44Z","modified":"2026-11-02T08:00:44Z"}', 2);
INSERT INTO public.revisions VALUES ('f3579e22-7f0a-5646-8819-6a38619c5189', 0, 'desk', 'added', 1793606444000000, '{"event":{"calendar":"desk","slug":"moves","uid":"f3579e22-7f0a-5646-8819-6a38619c5189","summary":{"en":"It moves"},"start":"2026-11-02T09:00:25+00:00","time_zone":"UTC","language":"en","reminders":[{"before":"1 hour"}]},"sequence":0,"created":"2026-11-02T08:00:44Z","modified":"2026-11-02T08:00:44Z"}', 2);
INSERT INTO public.revisions VALUES ('9354be29-1f6d-5186-9e5c-ce1e670e38e2', 0, 'desk', 'added', 1793606444000000, '{"event":{"calendar":"desk","slug":"next","uid":"9354be29-1f6d-5186-9e5c-ce1e670e38e2","summary":{"en":"Next"},"start":"2026-12-02T08:01:04+00:00","time_zone":"UTC","language":"en","reminders":[{"before":"30 days"}]},"sequence":0,"created":"2026-11-02T08:00:44Z","modified":"2026-11-02T08:00:44Z"}', 2);
INSERT INTO public.revisions VALUES ('538a4f2a-8995-579c-be70-61c63111441a', 0, 'desk', 'added', 1793606444000000, '{"event":{"calendar":"desk","slug":"soon","uid":"538a4f2a-8995-579c-be70-61c63111441a","summary":{"en":"Soon"},"start":"2026-11-02T09:00:25+00:00","time_zone":"UTC","language":"en","reminders":[{"before":"1 hour"}]},"sequence":0,"created":"2026-11-02T08:00:44Z","modified":"2026-11-02T08:00:44Z"}', 2);
INSERT INTO public.revisions VALUES ('f3579e22-7f0a-5646-8819-6a38619c5189', 1, 'desk', 'moved', 1793606454000000, '{"event":{"calendar":"desk","slug":"moves","uid":"f3579e22-7f0a-5646-8819-6a38619c5189","summary":{"en":"It moves"},"start":"2026-11-03T09:00:25+00:00","time_zone":"UTC","language":"en","reminders":[{"before":"1 hour"}]},"sequence":1,"created":"2026-11-02T08:00:44Z","modified":"2026-11-02T08:00:54Z","history":[{"start":"2026-11-02T09:00:25+00:00","time_zone":"UTC","on":"2026-11-02"}]}', 3);
INSERT INTO public.revisions VALUES ('699737e1-573d-522d-8ce3-7b1cab7c4028', 1, 'desk', 'changed', 1793606472000000, '{"event":{"calendar":"desk","slug":"later","uid":"699737e1-573d-522d-8ce3-7b1cab7c4028","summary":{"en":"Much later"},"start":"2026-12-01T12:00:00+00:00","time_zone":"UTC","language":"en","reminders":[{"before":"1 hour"}]},"sequence":1,"created":"2026-11-02T08:00:44Z","modified":"2026-11-02T08:01:12Z"}', 4);


--
-- Data for Name: sign_in_links; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Data for Name: tokens; Type: TABLE DATA; Schema: public; Owner: -
--



--
-- Name: deliveries_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.deliveries_id_seq', 94, true);


--
-- Name: publishes_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.publishes_id_seq', 4, true);


--
-- Name: tokens_id_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.tokens_id_seq', 1, false);


--
-- Name: alembic_version alembic_version_pkc; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);


--
-- Name: answers pk_answers; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.answers
    ADD CONSTRAINT pk_answers PRIMARY KEY (key);


--
-- Name: attempts pk_attempts; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT pk_attempts PRIMARY KEY (delivery_id, claim);


--
-- Name: calendars pk_calendars; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.calendars
    ADD CONSTRAINT pk_calendars PRIMARY KEY (slug);


--
-- Name: deliveries pk_deliveries; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT pk_deliveries PRIMARY KEY (id);


--
-- Name: endpoints pk_endpoints; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.endpoints
    ADD CONSTRAINT pk_endpoints PRIMARY KEY (id);


--
-- Name: events pk_events; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT pk_events PRIMARY KEY (uid);


--
-- Name: messages pk_messages; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT pk_messages PRIMARY KEY (id);


--
-- Name: polls pk_polls; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.polls
    ADD CONSTRAINT pk_polls PRIMARY KEY (day, feed, family);


--
-- Name: publishes pk_publishes; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.publishes
    ADD CONSTRAINT pk_publishes PRIMARY KEY (id);


--
-- Name: rehearsals pk_rehearsals; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.rehearsals
    ADD CONSTRAINT pk_rehearsals PRIMARY KEY (id);


--
-- Name: reminders pk_reminders; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.reminders
    ADD CONSTRAINT pk_reminders PRIMARY KEY (key);


--
-- Name: renderings pk_renderings; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.renderings
    ADD CONSTRAINT pk_renderings PRIMARY KEY (uid, language, marked);


--
-- Name: revisions pk_revisions; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.revisions
    ADD CONSTRAINT pk_revisions PRIMARY KEY (uid, sequence);


--
-- Name: sign_in_links pk_sign_in_links; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.sign_in_links
    ADD CONSTRAINT pk_sign_in_links PRIMARY KEY (digest);


--
-- Name: tokens pk_tokens; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT pk_tokens PRIMARY KEY (id);


--
-- Name: tokens uq_tokens_digest; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.tokens
    ADD CONSTRAINT uq_tokens_digest UNIQUE (digest);


--
-- Name: ix_answers_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_answers_at ON public.answers USING btree (at);


--
-- Name: ix_deliveries_endpoint_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_deliveries_endpoint_id ON public.deliveries USING btree (endpoint_id) WHERE ((state)::text <> ALL ((ARRAY['pending'::character varying, 'delivered'::character varying])::text[]));


--
-- Name: ix_deliveries_gathered; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_deliveries_gathered ON public.deliveries USING btree (next_at) WHERE ((state)::text = 'gathered'::text);


--
-- Name: ix_deliveries_next_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_deliveries_next_at ON public.deliveries USING btree (next_at) WHERE ((state)::text = 'pending'::text);


--
-- Name: ix_events_calendar_slug; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_events_calendar_slug ON public.events USING btree (calendar, slug);


--
-- Name: ix_events_planned_until; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_events_planned_until ON public.events USING btree (planned_until);


--
-- Name: ix_messages_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_messages_at ON public.messages USING btree (at, id);


--
-- Name: ix_messages_reminder; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_messages_reminder ON public.messages USING btree (reminder);


--
-- Name: ix_messages_uid; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_messages_uid ON public.messages USING btree (uid);


--
-- Name: ix_messages_waiting; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_messages_waiting ON public.messages USING btree (at) WHERE (fanned_out_to IS NOT NULL);


--
-- Name: ix_messages_with_body; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_messages_with_body ON public.messages USING btree (at) WHERE (body IS NOT NULL);


--
-- Name: ix_reminders_due; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_reminders_due ON public.reminders USING btree (due) WHERE ((state)::text = 'planned'::text);


--
-- Name: ix_reminders_uid_begins; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_reminders_uid_begins ON public.reminders USING btree (uid, begins);


--
-- Name: ix_revisions_calendar_at; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_revisions_calendar_at ON public.revisions USING btree (calendar, at);


--
-- Name: ix_revisions_publish_id; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_revisions_publish_id ON public.revisions USING btree (publish_id);


--
-- Name: uq_deliveries_message_id_endpoint_id; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX uq_deliveries_message_id_endpoint_id ON public.deliveries USING btree (message_id, endpoint_id);


--
-- Name: calendars fk_calendars_publish_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.calendars
    ADD CONSTRAINT fk_calendars_publish_id FOREIGN KEY (publish_id) REFERENCES public.publishes(id);


--
-- Name: deliveries fk_deliveries_endpoint_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT fk_deliveries_endpoint_id FOREIGN KEY (endpoint_id) REFERENCES public.endpoints(id);


--
-- Name: deliveries fk_deliveries_message_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT fk_deliveries_message_id FOREIGN KEY (message_id) REFERENCES public.messages(id);


--
-- Name: events fk_events_calendar; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events
    ADD CONSTRAINT fk_events_calendar FOREIGN KEY (calendar) REFERENCES public.calendars(slug);


--
-- Name: rehearsals fk_rehearsals_endpoint_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.rehearsals
    ADD CONSTRAINT fk_rehearsals_endpoint_id FOREIGN KEY (endpoint_id) REFERENCES public.endpoints(id);


--
-- Name: renderings fk_renderings_uid; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.renderings
    ADD CONSTRAINT fk_renderings_uid FOREIGN KEY (uid) REFERENCES public.events(uid) ON DELETE CASCADE;


--
-- Name: revisions fk_revisions_publish_id; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.revisions
    ADD CONSTRAINT fk_revisions_publish_id FOREIGN KEY (publish_id) REFERENCES public.publishes(id);


--
-- PostgreSQL database dump complete
--


