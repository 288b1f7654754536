CREATE SCHEMA of_old_agno;

CREATE TABLE of_old_agno.agno_eval_runs (
    run_id character varying NOT NULL,
    eval_type character varying NOT NULL,
    eval_data jsonb NOT NULL,
    eval_input jsonb NOT NULL,
    name character varying,
    agent_id character varying,
    team_id character varying,
    workflow_id character varying,
    model_id character varying,
    model_provider character varying,
    evaluated_component_name character varying,
    created_at bigint NOT NULL,
    updated_at bigint
);

CREATE TABLE of_old_agno.agno_knowledge (
    id character varying NOT NULL,
    name character varying NOT NULL,
    description text NOT NULL,
    metadata jsonb,
    type character varying,
    size bigint,
    linked_to character varying,
    access_count bigint,
    status character varying,
    status_message text,
    created_at bigint,
    updated_at bigint,
    external_id character varying
);

CREATE TABLE of_old_agno.agno_memories (
    memory_id character varying NOT NULL,
    memory jsonb NOT NULL,
    feedback text,
    input text,
    agent_id character varying,
    team_id character varying,
    user_id character varying,
    topics jsonb,
    created_at bigint NOT NULL,
    updated_at bigint
);

CREATE TABLE of_old_agno.agno_metrics (
    id character varying NOT NULL,
    agent_runs_count bigint NOT NULL,
    team_runs_count bigint NOT NULL,
    workflow_runs_count bigint NOT NULL,
    agent_sessions_count bigint NOT NULL,
    team_sessions_count bigint NOT NULL,
    workflow_sessions_count bigint NOT NULL,
    users_count bigint NOT NULL,
    token_metrics jsonb NOT NULL,
    model_metrics jsonb NOT NULL,
    date date NOT NULL,
    aggregation_period character varying NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint,
    completed boolean NOT NULL
);

CREATE TABLE of_old_agno.agno_schema_versions (
    table_name character varying NOT NULL,
    version character varying NOT NULL,
    created_at character varying NOT NULL,
    updated_at character varying
);

CREATE TABLE of_old_agno.agno_sessions (
    session_id character varying NOT NULL,
    session_type character varying NOT NULL,
    agent_id character varying,
    team_id character varying,
    workflow_id character varying,
    user_id character varying,
    session_data jsonb,
    agent_data jsonb,
    team_data jsonb,
    workflow_data jsonb,
    metadata jsonb,
    runs jsonb,
    summary jsonb,
    created_at bigint NOT NULL,
    updated_at bigint
);

INSERT INTO of_old_agno.agno_eval_runs VALUES ('e1', 'accuracy', '{"score": 0.5}', '{"question": "é"}', 'first', 'desk', NULL, NULL, NULL, NULL, NULL, 1795267603, 1795267603);

INSERT INTO of_old_agno.agno_knowledge VALUES ('k1', 'manual', 'how to', '{"pages": 3}', NULL, NULL, 'base', NULL, 'completed', NULL, 1761998400, 1761998400, NULL);

INSERT INTO of_old_agno.agno_memories VALUES ('m1', '"likes tea ☕"', NULL, NULL, NULL, NULL, 'ada', '["drinks"]', 1761998400, 1761998400);
INSERT INTO of_old_agno.agno_memories VALUES ('m2', '"lives in Ulm"', NULL, NULL, NULL, NULL, 'bob', '[]', 1761998400, 1761998400);
INSERT INTO of_old_agno.agno_memories VALUES ('m3', '"of nobody"', NULL, NULL, NULL, NULL, NULL, 'null', 1761998400, 1761998400);

INSERT INTO of_old_agno.agno_metrics VALUES ('6fa2d3da-7eff-4d2d-9b25-10a8e7378827', 5, 2, 1, 2, 1, 1, 2, '{"input_tokens": 0, "total_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0, "cache_read_tokens": 0, "audio_input_tokens": 0, "audio_total_tokens": 0, "cache_write_tokens": 0, "audio_output_tokens": 0}', '[]', '2025-11-01', 'daily', 1795267603, 1795267603, true);
INSERT INTO of_old_agno.agno_metrics VALUES ('38e31225-d22b-403f-bbcb-09d3beb6610d', 1, 0, 0, 1, 0, 0, 0, '{"input_tokens": 0, "total_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0, "cache_read_tokens": 0, "audio_input_tokens": 0, "audio_total_tokens": 0, "cache_write_tokens": 0, "audio_output_tokens": 0}', '[]', '2025-11-02', 'daily', 1795267603, 1795267603, true);
INSERT INTO of_old_agno.agno_metrics VALUES ('ea5526fa-5326-402a-a29d-d28f425ae00b', 1, 0, 0, 1, 0, 0, 1, '{"input_tokens": 0, "total_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0, "cache_read_tokens": 0, "audio_input_tokens": 0, "audio_total_tokens": 0, "cache_write_tokens": 0, "audio_output_tokens": 0}', '[]', '2026-11-21', 'daily', 1795267603, 1795267603, false);

INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_sessions', '2.3.0', '2026-11-21T13:26:41.854378', '2026-11-21T13:26:41.854378');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_memories', '2.3.0', '2026-11-21T13:26:43.313164', '2026-11-21T13:26:43.313164');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_eval_runs', '2.3.0', '2026-11-21T13:26:43.421844', '2026-11-21T13:26:43.421844');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_knowledge', '2.3.0', '2026-11-21T13:26:43.464841', '2026-11-21T13:26:43.464841');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_metrics', '2.3.0', '2026-11-21T13:26:43.483027', '2026-11-21T13:26:43.483027');

INSERT INTO of_old_agno.agno_sessions VALUES ('s3', 'agent', 'desk', NULL, NULL, 'ada', '{"session_state": {"asked": 3}}', 'null', NULL, NULL, 'null', '[{"input": {"input_content": "s3: turn 0 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "s3-0", "status": "ERROR", "content": "S3: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "user_id": "ada", "agent_id": "desk", "messages": [{"id": "58d15f98-c772-489f-aa2b-41055c6e1160", "role": "user", "content": "s3: turn 0 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}, {"id": "97287340-7194-4a05-b839-70d025e7615a", "role": "assistant", "content": "S3: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}], "created_at": 1761998400, "session_id": "s3", "content_type": "str"}, {"input": {"input_content": "s3: turn 1 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "s3-1", "status": "COMPLETED", "content": "S3: TURN 1 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "user_id": "ada", "agent_id": "desk", "messages": [{"id": "d7e33cf1-8e94-486e-961e-0c67a6f49a0f", "role": "user", "content": "s3: turn 1 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}, {"id": "fbd31dfe-b0f4-4ebb-ba17-e1a4a752dac4", "role": "assistant", "content": "S3: TURN 1 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}], "created_at": 1761998401, "session_id": "s3", "content_type": "str"}, {"input": {"input_content": "s3: turn 2 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "s3-2", "status": "COMPLETED", "content": "S3: TURN 2 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "user_id": "ada", "agent_id": "desk", "messages": [{"id": "6d467de0-ce03-4c4d-84b3-35bd92ae8ee4", "role": "user", "content": "s3: turn 2 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}, {"id": "d6939bb1-6a97-4aee-a472-9496462c9847", "role": "assistant", "content": "S3: TURN 2 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}], "created_at": 1761998402, "session_id": "s3", "content_type": "str"}]', 'null', 1761998400, 1761998400);
INSERT INTO of_old_agno.agno_sessions VALUES ('s2', 'agent', 'desk', NULL, NULL, 'bob', '{"session_state": {"asked": 2}}', 'null', NULL, NULL, 'null', '[{"input": {"input_content": "s2: turn 0 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "s2-0", "status": "ERROR", "content": "S2: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "user_id": "bob", "agent_id": "desk", "messages": [{"id": "a5d9f48c-c6a7-443a-ae98-b4b28d1a9b7f", "role": "user", "content": "s2: turn 0 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}, {"id": "268988c4-0215-4529-af1b-cba74eb3fe73", "role": "assistant", "content": "S2: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}], "created_at": 1761998400, "session_id": "s2", "content_type": "str"}, {"input": {"input_content": "s2: turn 1 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "s2-1", "status": "COMPLETED", "content": "S2: TURN 1 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "user_id": "bob", "agent_id": "desk", "messages": [{"id": "65f20970-a9c0-4bd3-a9d1-9475a605f2a5", "role": "user", "content": "s2: turn 1 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}, {"id": "0a1f5972-00f6-48ad-88d4-dfba712c2e5b", "role": "assistant", "content": "S2: TURN 1 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}], "created_at": 1761998401, "session_id": "s2", "content_type": "str"}]', 'null', 1761998400, 1761998400);
INSERT INTO of_old_agno.agno_sessions VALUES ('s1', 'agent', 'desk', NULL, NULL, NULL, '{"session_state": {"asked": 1}}', 'null', NULL, NULL, 'null', '[{"input": {"input_content": "s1: turn 0 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "s1-0", "status": "ERROR", "content": "S1: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "agent_id": "desk", "messages": [{"id": "915ae7f7-9fc1-49f1-9951-171e5260cea8", "role": "user", "content": "s1: turn 0 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}, {"id": "50b527c1-47e8-43c8-a516-06709cd19648", "role": "assistant", "content": "S1: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}], "created_at": 1762084800, "session_id": "s1", "content_type": "str"}]', 'null', 1762084800, 1762084800);
INSERT INTO of_old_agno.agno_sessions VALUES ('t1', 'team', NULL, 'crew', NULL, 'ada', '{"session_state": {}}', NULL, 'null', NULL, 'null', '[{"run_id": "t1-0", "status": "COMPLETED", "content": "all of us", "team_id": "crew", "created_at": 1761998400, "session_id": "t1", "content_type": "str", "member_responses": []}, {"run_id": "t1-1", "status": "COMPLETED", "content": "one of us", "agent_id": "desk", "created_at": 1761998400, "session_id": "t1", "content_type": "str", "parent_run_id": "t1-0"}]', 'null', 1761998400, 1761998400);
INSERT INTO of_old_agno.agno_sessions VALUES ('w1', 'workflow', NULL, NULL, 'nightly', 'bob', '{"session_state": {}}', NULL, NULL, '{}', '{}', '[{"run_id": "w1-0", "status": "COMPLETED", "content": "done", "created_at": 1761998400, "session_id": "w1", "workflow_id": "nightly", "content_type": "str", "workflow_name": "nightly"}]', 'null', 1761998400, 1761998400);
INSERT INTO of_old_agno.agno_sessions VALUES ('today', 'agent', 'desk', NULL, NULL, 'ada', '{"session_state": {"asked": 1}}', 'null', NULL, NULL, 'null', '[{"input": {"input_content": "today: turn 0 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "today-0", "status": "ERROR", "content": "TODAY: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "user_id": "ada", "agent_id": "desk", "messages": [{"id": "b3ca3bc9-ca9d-47e4-93c5-725b1da0cbed", "role": "user", "content": "today: turn 0 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}, {"id": "de431cb6-df05-4c0e-9201-622a32346a68", "role": "assistant", "content": "TODAY: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267601, "from_history": false, "stop_after_tool_call": false}], "created_at": 1761998400, "session_id": "today", "content_type": "str"}]', 'null', 1795267601, 1795267601);
INSERT INTO of_old_agno.agno_sessions VALUES ('s0', 'agent', 'desk', NULL, NULL, 'ada', 'null', 'null', NULL, NULL, 'null', 'null', 'null', 1761998400, 1761998400);

ALTER TABLE ONLY of_old_agno.agno_eval_runs
    ADD CONSTRAINT agno_eval_runs_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY of_old_agno.agno_knowledge
    ADD CONSTRAINT agno_knowledge_pkey PRIMARY KEY (id);

ALTER TABLE ONLY of_old_agno.agno_memories
    ADD CONSTRAINT agno_memories_pkey PRIMARY KEY (memory_id);

ALTER TABLE ONLY of_old_agno.agno_metrics
    ADD CONSTRAINT agno_metrics_pkey PRIMARY KEY (id);

ALTER TABLE ONLY of_old_agno.agno_metrics
    ADD CONSTRAINT agno_metrics_uq_metrics_date_period UNIQUE (date, aggregation_period);

ALTER TABLE ONLY of_old_agno.agno_schema_versions
    ADD CONSTRAINT agno_schema_versions_pkey PRIMARY KEY (table_name);

ALTER TABLE ONLY of_old_agno.agno_sessions
    ADD CONSTRAINT agno_sessions_uq_session_id UNIQUE (session_id);

CREATE INDEX idx_agno_eval_runs_created_at ON of_old_agno.agno_eval_runs USING btree (created_at);

CREATE INDEX idx_agno_memories_created_at ON of_old_agno.agno_memories USING btree (created_at);

CREATE INDEX idx_agno_memories_updated_at ON of_old_agno.agno_memories USING btree (updated_at);

CREATE INDEX idx_agno_memories_user_id ON of_old_agno.agno_memories USING btree (user_id);

CREATE INDEX idx_agno_metrics_date ON of_old_agno.agno_metrics USING btree (date);

CREATE INDEX idx_agno_schema_versions_created_at ON of_old_agno.agno_schema_versions USING btree (created_at);

CREATE INDEX idx_agno_sessions_created_at ON of_old_agno.agno_sessions USING btree (created_at);

CREATE INDEX idx_agno_sessions_session_type ON of_old_agno.agno_sessions USING btree (session_type);
