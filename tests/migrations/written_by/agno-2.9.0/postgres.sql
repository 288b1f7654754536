CREATE SCHEMA of_old_agno;

CREATE TABLE of_old_agno.agno_approvals (
    id character varying NOT NULL,
    run_id character varying NOT NULL,
    session_id character varying NOT NULL,
    status character varying NOT NULL,
    source_type character varying NOT NULL,
    approval_type character varying,
    pause_type character varying NOT NULL,
    tool_name character varying,
    tool_args jsonb,
    expires_at bigint,
    agent_id character varying,
    team_id character varying,
    workflow_id character varying,
    user_id character varying,
    schedule_id character varying,
    schedule_run_id character varying,
    source_name character varying,
    requirements jsonb,
    context jsonb,
    resolution_data jsonb,
    resolved_by character varying,
    resolved_at bigint,
    created_at bigint NOT NULL,
    updated_at bigint,
    run_status character varying
);

CREATE TABLE of_old_agno.agno_component_configs (
    component_id character varying NOT NULL,
    version integer NOT NULL,
    label character varying,
    stage character varying NOT NULL,
    config jsonb NOT NULL,
    notes text,
    created_at bigint NOT NULL,
    updated_at bigint,
    deleted_at bigint
);

CREATE TABLE of_old_agno.agno_component_links (
    parent_component_id character varying NOT NULL,
    parent_version integer NOT NULL,
    link_kind character varying NOT NULL,
    link_key character varying NOT NULL,
    child_component_id character varying NOT NULL,
    child_version integer,
    "position" integer NOT NULL,
    meta jsonb,
    created_at bigint,
    updated_at bigint
);

CREATE TABLE of_old_agno.agno_components (
    component_id character varying NOT NULL,
    component_type character varying NOT NULL,
    name character varying,
    description text,
    current_version integer,
    metadata jsonb,
    created_at bigint NOT NULL,
    updated_at bigint,
    deleted_at bigint
);

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

CREATE TABLE of_old_agno.agno_learnings (
    learning_id character varying NOT NULL,
    learning_type character varying NOT NULL,
    namespace character varying,
    user_id character varying,
    agent_id character varying,
    team_id character varying,
    workflow_id character varying,
    session_id character varying,
    entity_id character varying,
    entity_type character varying,
    content jsonb NOT NULL,
    metadata jsonb,
    created_at bigint NOT NULL,
    updated_at bigint
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

CREATE TABLE of_old_agno.agno_schedule_runs (
    id character varying NOT NULL,
    schedule_id character varying NOT NULL,
    attempt bigint NOT NULL,
    triggered_at bigint,
    completed_at bigint,
    status character varying NOT NULL,
    status_code bigint,
    run_id character varying,
    session_id character varying,
    error text,
    input jsonb,
    output jsonb,
    requirements jsonb,
    created_at bigint NOT NULL
);

CREATE TABLE of_old_agno.agno_schedules (
    id character varying NOT NULL,
    name character varying NOT NULL,
    description text,
    method character varying NOT NULL,
    endpoint character varying NOT NULL,
    payload jsonb,
    cron_expr character varying NOT NULL,
    timezone character varying NOT NULL,
    timeout_seconds bigint NOT NULL,
    max_retries bigint NOT NULL,
    retry_delay_seconds bigint NOT NULL,
    enabled boolean NOT NULL,
    next_run_at bigint,
    locked_by character varying,
    locked_at bigint,
    created_at bigint NOT NULL,
    updated_at bigint
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

CREATE TABLE of_old_agno.agno_spans (
    span_id character varying NOT NULL,
    trace_id character varying NOT NULL,
    parent_span_id character varying,
    name character varying NOT NULL,
    span_kind character varying NOT NULL,
    status_code character varying NOT NULL,
    status_message text,
    start_time character varying NOT NULL,
    end_time character varying NOT NULL,
    duration_ms bigint NOT NULL,
    attributes jsonb,
    created_at character varying NOT NULL
);

CREATE TABLE of_old_agno.agno_traces (
    trace_id character varying NOT NULL,
    name character varying NOT NULL,
    status character varying NOT NULL,
    start_time character varying NOT NULL,
    end_time character varying NOT NULL,
    duration_ms bigint NOT NULL,
    run_id character varying,
    session_id character varying,
    user_id character varying,
    agent_id character varying,
    team_id character varying,
    workflow_id character varying,
    created_at character varying NOT NULL
);

INSERT INTO of_old_agno.agno_approvals VALUES ('a1', 's3-2', 's3', 'pending', 'agent', NULL, 'confirmation', NULL, NULL, NULL, 'desk', NULL, NULL, 'ada', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1761998400, 1795267643, NULL);

INSERT INTO of_old_agno.agno_component_configs VALUES ('desk', 1, NULL, 'published', '{"name": "Desk"}', 'first', 1795267643, NULL, NULL);

INSERT INTO of_old_agno.agno_components VALUES ('desk', 'agent', 'Desk', NULL, 1, 'null', 1795267643, 1795267643, NULL);

INSERT INTO of_old_agno.agno_eval_runs VALUES ('e1', 'accuracy', '{"score": 0.5}', '{"question": "é"}', 'first', 'desk', NULL, NULL, NULL, NULL, NULL, 1795267642, 1795267642);

INSERT INTO of_old_agno.agno_knowledge VALUES ('k1', 'manual', 'how to', '{"pages": 3}', NULL, NULL, 'base', NULL, 'completed', NULL, 1761998400, 1761998400, NULL);

INSERT INTO of_old_agno.agno_learnings VALUES ('entity_user_company_acme', 'entity_memory', 'user', 'ada', NULL, NULL, NULL, NULL, 'acme', 'company', '{"name": "Acme", "facts": [{"id": "f1", "content": "buys tea"}], "user_id": "ada"}', 'null', 1795267642, 1795267642);
INSERT INTO of_old_agno.agno_learnings VALUES ('profile_ada', 'user_profile', NULL, 'ada', NULL, NULL, NULL, NULL, NULL, NULL, '{"name": "Ada"}', 'null', 1795267643, 1795267643);

INSERT INTO of_old_agno.agno_memories VALUES ('m1', '"likes tea ☕"', NULL, NULL, NULL, NULL, 'ada', '["drinks"]', 1761998400, 1761998401);
INSERT INTO of_old_agno.agno_memories VALUES ('m2', '"lives in Ulm"', NULL, NULL, NULL, NULL, 'bob', '[]', 1761998400, 1761998402);
INSERT INTO of_old_agno.agno_memories VALUES ('m3', '"of nobody"', NULL, NULL, NULL, NULL, NULL, 'null', 1761998400, 1761998403);

INSERT INTO of_old_agno.agno_metrics VALUES ('7c9a7471-07f6-4a92-937f-05cfb03d2503', 5, 2, 1, 2, 1, 1, 2, '{"input_tokens": 0, "total_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0, "cache_read_tokens": 0, "audio_input_tokens": 0, "audio_total_tokens": 0, "cache_write_tokens": 0, "audio_output_tokens": 0}', '[]', '2025-11-01', 'daily', 1795267643, 1795267643, true);
INSERT INTO of_old_agno.agno_metrics VALUES ('1d268af5-c5d2-4363-9d79-65dd51e8fc96', 1, 0, 0, 1, 0, 0, 0, '{"input_tokens": 0, "total_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0, "cache_read_tokens": 0, "audio_input_tokens": 0, "audio_total_tokens": 0, "cache_write_tokens": 0, "audio_output_tokens": 0}', '[]', '2025-11-02', 'daily', 1795267643, 1795267643, true);
INSERT INTO of_old_agno.agno_metrics VALUES ('5f554198-4f69-48c1-98fb-cd2c698f83c4', 1, 0, 0, 1, 0, 0, 1, '{"input_tokens": 0, "total_tokens": 0, "output_tokens": 0, "reasoning_tokens": 0, "cache_read_tokens": 0, "audio_input_tokens": 0, "audio_total_tokens": 0, "cache_write_tokens": 0, "audio_output_tokens": 0}', '[]', '2026-11-21', 'daily', 1795267643, 1795267643, false);

INSERT INTO of_old_agno.agno_schedule_runs VALUES ('sr1', 'sc1', 1, NULL, NULL, 'success', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1761998400);

INSERT INTO of_old_agno.agno_schedules VALUES ('sc1', 'nightly', NULL, 'POST', '/agents/desk/runs', '{"message": "hi"}', '0 3 * * *', 'UTC', 60, 0, 60, true, 1762084800, NULL, NULL, 1761998400, NULL);

INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_sessions', '2.5.6', '2026-11-21T13:27:21.162302', '2026-11-21T13:27:21.162302');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_memories', '2.5.6', '2026-11-21T13:27:22.516953', '2026-11-21T13:27:22.516953');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_eval_runs', '2.5.6', '2026-11-21T13:27:22.577012', '2026-11-21T13:27:22.577012');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_knowledge', '2.5.6', '2026-11-21T13:27:22.607158', '2026-11-21T13:27:22.607158');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_traces', '2.5.6', '2026-11-21T13:27:22.844318', '2026-11-21T13:27:22.844318');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_spans', '2.5.6', '2026-11-21T13:27:22.919985', '2026-11-21T13:27:22.919985');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_learnings', '2.5.6', '2026-11-21T13:27:22.983635', '2026-11-21T13:27:22.983635');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_components', '2.5.6', '2026-11-21T13:27:23.040865', '2026-11-21T13:27:23.040865');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_component_configs', '2.5.6', '2026-11-21T13:27:23.094542', '2026-11-21T13:27:23.094542');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_component_links', '2.5.6', '2026-11-21T13:27:23.133900', '2026-11-21T13:27:23.133900');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_schedules', '2.5.6', '2026-11-21T13:27:23.206093', '2026-11-21T13:27:23.206093');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_schedule_runs', '2.5.6', '2026-11-21T13:27:23.248885', '2026-11-21T13:27:23.248885');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_approvals', '2.5.6', '2026-11-21T13:27:23.323047', '2026-11-21T13:27:23.323047');
INSERT INTO of_old_agno.agno_schema_versions VALUES ('agno_metrics', '2.5.6', '2026-11-21T13:27:23.356146', '2026-11-21T13:27:23.356146');

INSERT INTO of_old_agno.agno_sessions VALUES ('s3', 'agent', 'desk', NULL, NULL, 'ada', '{"session_state": {"asked": 3}}', 'null', NULL, NULL, 'null', '[{"input": {"input_content": "s3: turn 0 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "s3-0", "status": "ERROR", "content": "S3: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "user_id": "ada", "agent_id": "desk", "messages": [{"id": "4c4b585b-1e7b-4f42-b9ea-d9572485ffc9", "role": "user", "content": "s3: turn 0 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}, {"id": "1ddac7db-57cc-425f-9632-916fd8f2cb83", "role": "assistant", "content": "S3: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}], "created_at": 1761998400, "session_id": "s3", "content_type": "str"}, {"input": {"input_content": "s3: turn 1 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "s3-1", "status": "COMPLETED", "content": "S3: TURN 1 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "user_id": "ada", "agent_id": "desk", "messages": [{"id": "30996a8c-0e6f-4d26-a69e-93e7d0a5b379", "role": "user", "content": "s3: turn 1 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}, {"id": "4e49f740-1de0-4413-99e5-b16d27078c99", "role": "assistant", "content": "S3: TURN 1 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}], "created_at": 1761998401, "session_id": "s3", "content_type": "str"}, {"input": {"input_content": "s3: turn 2 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "s3-2", "status": "COMPLETED", "content": "S3: TURN 2 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "user_id": "ada", "agent_id": "desk", "messages": [{"id": "c9f48ac9-3d23-454c-b5f6-d7baea460cb9", "role": "user", "content": "s3: turn 2 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}, {"id": "3e4d8942-fddb-4dc4-b821-946678738b93", "role": "assistant", "content": "S3: TURN 2 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}], "created_at": 1761998402, "session_id": "s3", "content_type": "str"}]', 'null', 1761998400, 1761998400);
INSERT INTO of_old_agno.agno_sessions VALUES ('s2', 'agent', 'desk', NULL, NULL, 'bob', '{"session_state": {"asked": 2}}', 'null', NULL, NULL, 'null', '[{"input": {"input_content": "s2: turn 0 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "s2-0", "status": "ERROR", "content": "S2: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "user_id": "bob", "agent_id": "desk", "messages": [{"id": "ece36624-03fc-409d-8878-22d6c45f8652", "role": "user", "content": "s2: turn 0 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}, {"id": "3e94d08d-b519-43d4-b685-58b5a21a3526", "role": "assistant", "content": "S2: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}], "created_at": 1761998400, "session_id": "s2", "content_type": "str"}, {"input": {"input_content": "s2: turn 1 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "s2-1", "status": "COMPLETED", "content": "S2: TURN 1 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "user_id": "bob", "agent_id": "desk", "messages": [{"id": "deb95037-82b3-41cb-8000-43a967031c16", "role": "user", "content": "s2: turn 1 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}, {"id": "a8b576bc-734c-4055-8b89-590927b1785e", "role": "assistant", "content": "S2: TURN 1 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}], "created_at": 1761998401, "session_id": "s2", "content_type": "str"}]', 'null', 1761998400, 1761998400);
INSERT INTO of_old_agno.agno_sessions VALUES ('s1', 'agent', 'desk', NULL, NULL, NULL, '{"session_state": {"asked": 1}}', 'null', NULL, NULL, 'null', '[{"input": {"input_content": "s1: turn 0 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "s1-0", "status": "ERROR", "content": "S1: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "agent_id": "desk", "messages": [{"id": "120a04b1-62df-4437-94b8-14161dd0a942", "role": "user", "content": "s1: turn 0 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}, {"id": "866bca4b-5039-46ca-b04d-e2e73b01b169", "role": "assistant", "content": "S1: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}], "created_at": 1762084800, "session_id": "s1", "content_type": "str"}]', 'null', 1762084800, 1762084800);
INSERT INTO of_old_agno.agno_sessions VALUES ('t1', 'team', NULL, 'crew', NULL, 'ada', '{"session_state": {}}', NULL, 'null', NULL, 'null', '[{"run_id": "t1-0", "status": "COMPLETED", "content": "all of us", "team_id": "crew", "created_at": 1761998400, "session_id": "t1", "content_type": "str", "member_responses": []}, {"run_id": "t1-1", "status": "COMPLETED", "content": "one of us", "agent_id": "desk", "created_at": 1761998400, "session_id": "t1", "content_type": "str", "parent_run_id": "t1-0"}]', 'null', 1761998400, 1761998400);
INSERT INTO of_old_agno.agno_sessions VALUES ('w1', 'workflow', NULL, NULL, 'nightly', 'bob', '{"session_state": {}}', NULL, NULL, '{}', '{}', '[{"run_id": "w1-0", "status": "COMPLETED", "content": "done", "created_at": 1761998400, "session_id": "w1", "workflow_id": "nightly", "content_type": "str", "workflow_name": "nightly"}]', 'null', 1761998400, 1761998400);
INSERT INTO of_old_agno.agno_sessions VALUES ('today', 'agent', 'desk', NULL, NULL, 'ada', '{"session_state": {"asked": 1}}', 'null', NULL, NULL, 'null', '[{"input": {"input_content": "today: turn 0 – naïve “quotes” 🙂 \\ \" '' %s"}, "run_id": "today-0", "status": "ERROR", "content": "TODAY: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "user_id": "ada", "agent_id": "desk", "messages": [{"id": "33d1419b-dd24-4778-9704-62558a39d04c", "role": "user", "content": "today: turn 0 – naïve “quotes” 🙂 \\ \" '' %s", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}, {"id": "fdc496c9-b4a7-44ef-bda6-3936da317487", "role": "assistant", "content": "TODAY: TURN 0 – NAÏVE “QUOTES” 🙂 \\ \" '' %S", "created_at": 1795267641, "from_history": false, "stop_after_tool_call": false}], "created_at": 1761998400, "session_id": "today", "content_type": "str"}]', 'null', 1795267641, 1795267641);
INSERT INTO of_old_agno.agno_sessions VALUES ('s0', 'agent', 'desk', NULL, NULL, 'ada', 'null', 'null', NULL, NULL, 'null', 'null', 'null', 1761998400, 1761998400);

INSERT INTO of_old_agno.agno_spans VALUES ('sp1', 'tr1', NULL, 'desk.run', 'AGENT', 'OK', NULL, '2025-11-01T12:00:00+00:00', '2025-11-01T12:00:02+00:00', 2000, '{"openinference.span.kind": "AGENT"}', '2025-11-01T12:00:00+00:00');

INSERT INTO of_old_agno.agno_traces VALUES ('tr1', 'desk.run', 'OK', '2025-11-01T12:00:00+00:00', '2025-11-01T12:00:02+00:00', 2000, 's3-0', 's3', 'ada', 'desk', NULL, NULL, '2025-11-01T12:00:00+00:00');

ALTER TABLE ONLY of_old_agno.agno_approvals
    ADD CONSTRAINT agno_approvals_pkey PRIMARY KEY (id);

ALTER TABLE ONLY of_old_agno.agno_component_configs
    ADD CONSTRAINT agno_component_configs_pkey PRIMARY KEY (component_id, version);

ALTER TABLE ONLY of_old_agno.agno_component_links
    ADD CONSTRAINT agno_component_links_pkey PRIMARY KEY (parent_component_id, parent_version, link_kind, link_key);

ALTER TABLE ONLY of_old_agno.agno_components
    ADD CONSTRAINT agno_components_pkey PRIMARY KEY (component_id);

ALTER TABLE ONLY of_old_agno.agno_eval_runs
    ADD CONSTRAINT agno_eval_runs_pkey PRIMARY KEY (run_id);

ALTER TABLE ONLY of_old_agno.agno_knowledge
    ADD CONSTRAINT agno_knowledge_pkey PRIMARY KEY (id);

ALTER TABLE ONLY of_old_agno.agno_learnings
    ADD CONSTRAINT agno_learnings_pkey PRIMARY KEY (learning_id);

ALTER TABLE ONLY of_old_agno.agno_memories
    ADD CONSTRAINT agno_memories_pkey PRIMARY KEY (memory_id);

ALTER TABLE ONLY of_old_agno.agno_metrics
    ADD CONSTRAINT agno_metrics_pkey PRIMARY KEY (id);

ALTER TABLE ONLY of_old_agno.agno_metrics
    ADD CONSTRAINT agno_metrics_uq_metrics_date_period UNIQUE (date, aggregation_period);

ALTER TABLE ONLY of_old_agno.agno_schedule_runs
    ADD CONSTRAINT agno_schedule_runs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY of_old_agno.agno_schedules
    ADD CONSTRAINT agno_schedules_pkey PRIMARY KEY (id);

ALTER TABLE ONLY of_old_agno.agno_schema_versions
    ADD CONSTRAINT agno_schema_versions_pkey PRIMARY KEY (table_name);

ALTER TABLE ONLY of_old_agno.agno_sessions
    ADD CONSTRAINT agno_sessions_pkey PRIMARY KEY (session_id);

ALTER TABLE ONLY of_old_agno.agno_spans
    ADD CONSTRAINT agno_spans_pkey PRIMARY KEY (span_id);

ALTER TABLE ONLY of_old_agno.agno_traces
    ADD CONSTRAINT agno_traces_pkey PRIMARY KEY (trace_id);

CREATE INDEX idx_agno_approvals_agent_id ON of_old_agno.agno_approvals USING btree (agent_id);

CREATE INDEX idx_agno_approvals_approval_type ON of_old_agno.agno_approvals USING btree (approval_type);

CREATE INDEX idx_agno_approvals_created_at ON of_old_agno.agno_approvals USING btree (created_at);

CREATE INDEX idx_agno_approvals_pause_type ON of_old_agno.agno_approvals USING btree (pause_type);

CREATE INDEX idx_agno_approvals_run_id ON of_old_agno.agno_approvals USING btree (run_id);

CREATE INDEX idx_agno_approvals_run_status ON of_old_agno.agno_approvals USING btree (run_status);

CREATE INDEX idx_agno_approvals_schedule_id ON of_old_agno.agno_approvals USING btree (schedule_id);

CREATE INDEX idx_agno_approvals_schedule_run_id ON of_old_agno.agno_approvals USING btree (schedule_run_id);

CREATE INDEX idx_agno_approvals_session_id ON of_old_agno.agno_approvals USING btree (session_id);

CREATE INDEX idx_agno_approvals_source_type ON of_old_agno.agno_approvals USING btree (source_type);

CREATE INDEX idx_agno_approvals_status ON of_old_agno.agno_approvals USING btree (status);

CREATE INDEX idx_agno_approvals_team_id ON of_old_agno.agno_approvals USING btree (team_id);

CREATE INDEX idx_agno_approvals_user_id ON of_old_agno.agno_approvals USING btree (user_id);

CREATE INDEX idx_agno_approvals_workflow_id ON of_old_agno.agno_approvals USING btree (workflow_id);

CREATE INDEX idx_agno_component_configs_created_at ON of_old_agno.agno_component_configs USING btree (created_at);

CREATE INDEX idx_agno_component_configs_stage ON of_old_agno.agno_component_configs USING btree (stage);

CREATE INDEX idx_agno_component_links_created_at ON of_old_agno.agno_component_links USING btree (created_at);

CREATE INDEX idx_agno_component_links_link_kind ON of_old_agno.agno_component_links USING btree (link_kind);

CREATE INDEX idx_agno_components_component_type ON of_old_agno.agno_components USING btree (component_type);

CREATE INDEX idx_agno_components_created_at ON of_old_agno.agno_components USING btree (created_at);

CREATE INDEX idx_agno_components_current_version ON of_old_agno.agno_components USING btree (current_version);

CREATE INDEX idx_agno_components_name ON of_old_agno.agno_components USING btree (name);

CREATE INDEX idx_agno_eval_runs_created_at ON of_old_agno.agno_eval_runs USING btree (created_at);

CREATE INDEX idx_agno_learnings_agent_id ON of_old_agno.agno_learnings USING btree (agent_id);

CREATE INDEX idx_agno_learnings_created_at ON of_old_agno.agno_learnings USING btree (created_at);

CREATE INDEX idx_agno_learnings_entity_id ON of_old_agno.agno_learnings USING btree (entity_id);

CREATE INDEX idx_agno_learnings_entity_type ON of_old_agno.agno_learnings USING btree (entity_type);

CREATE INDEX idx_agno_learnings_learning_type ON of_old_agno.agno_learnings USING btree (learning_type);

CREATE INDEX idx_agno_learnings_namespace ON of_old_agno.agno_learnings USING btree (namespace);

CREATE INDEX idx_agno_learnings_session_id ON of_old_agno.agno_learnings USING btree (session_id);

CREATE INDEX idx_agno_learnings_team_id ON of_old_agno.agno_learnings USING btree (team_id);

CREATE INDEX idx_agno_learnings_user_id ON of_old_agno.agno_learnings USING btree (user_id);

CREATE INDEX idx_agno_learnings_workflow_id ON of_old_agno.agno_learnings USING btree (workflow_id);

CREATE INDEX idx_agno_memories_created_at ON of_old_agno.agno_memories USING btree (created_at);

CREATE INDEX idx_agno_memories_updated_at ON of_old_agno.agno_memories USING btree (updated_at);

CREATE INDEX idx_agno_memories_user_id ON of_old_agno.agno_memories USING btree (user_id);

CREATE INDEX idx_agno_metrics_date ON of_old_agno.agno_metrics USING btree (date);

CREATE INDEX idx_agno_schedule_runs_created_at ON of_old_agno.agno_schedule_runs USING btree (created_at);

CREATE INDEX idx_agno_schedule_runs_schedule_id ON of_old_agno.agno_schedule_runs USING btree (schedule_id);

CREATE INDEX idx_agno_schedule_runs_status ON of_old_agno.agno_schedule_runs USING btree (status);

CREATE INDEX idx_agno_schedules_created_at ON of_old_agno.agno_schedules USING btree (created_at);

CREATE INDEX idx_agno_schedules_enabled_next_run_at ON of_old_agno.agno_schedules USING btree (enabled, next_run_at);

CREATE INDEX idx_agno_schedules_name ON of_old_agno.agno_schedules USING btree (name);

CREATE INDEX idx_agno_schedules_next_run_at ON of_old_agno.agno_schedules USING btree (next_run_at);

CREATE INDEX idx_agno_schema_versions_created_at ON of_old_agno.agno_schema_versions USING btree (created_at);

CREATE INDEX idx_agno_sessions_created_at ON of_old_agno.agno_sessions USING btree (created_at);

CREATE INDEX idx_agno_sessions_session_type ON of_old_agno.agno_sessions USING btree (session_type);

CREATE INDEX idx_agno_spans_created_at ON of_old_agno.agno_spans USING btree (created_at);

CREATE INDEX idx_agno_spans_parent_span_id ON of_old_agno.agno_spans USING btree (parent_span_id);

CREATE INDEX idx_agno_spans_start_time ON of_old_agno.agno_spans USING btree (start_time);

CREATE INDEX idx_agno_spans_trace_id ON of_old_agno.agno_spans USING btree (trace_id);

CREATE INDEX idx_agno_traces_agent_id ON of_old_agno.agno_traces USING btree (agent_id);

CREATE INDEX idx_agno_traces_created_at ON of_old_agno.agno_traces USING btree (created_at);

CREATE INDEX idx_agno_traces_run_id ON of_old_agno.agno_traces USING btree (run_id);

CREATE INDEX idx_agno_traces_session_id ON of_old_agno.agno_traces USING btree (session_id);

CREATE INDEX idx_agno_traces_start_time ON of_old_agno.agno_traces USING btree (start_time);

CREATE INDEX idx_agno_traces_status ON of_old_agno.agno_traces USING btree (status);

CREATE INDEX idx_agno_traces_team_id ON of_old_agno.agno_traces USING btree (team_id);

CREATE INDEX idx_agno_traces_user_id ON of_old_agno.agno_traces USING btree (user_id);

CREATE INDEX idx_agno_traces_workflow_id ON of_old_agno.agno_traces USING btree (workflow_id);

ALTER TABLE ONLY of_old_agno.agno_component_configs
    ADD CONSTRAINT agno_component_configs_component_id_fkey FOREIGN KEY (component_id) REFERENCES of_old_agno.agno_components(component_id);

ALTER TABLE ONLY of_old_agno.agno_component_links
    ADD CONSTRAINT agno_component_links_child_component_id_fkey FOREIGN KEY (child_component_id) REFERENCES of_old_agno.agno_components(component_id);

ALTER TABLE ONLY of_old_agno.agno_component_links
    ADD CONSTRAINT agno_component_links_parent_component_id_parent_version_fkey FOREIGN KEY (parent_component_id, parent_version) REFERENCES of_old_agno.agno_component_configs(component_id, version);

ALTER TABLE ONLY of_old_agno.agno_schedule_runs
    ADD CONSTRAINT agno_schedule_runs_schedule_id_fkey FOREIGN KEY (schedule_id) REFERENCES of_old_agno.agno_schedules(id) ON DELETE CASCADE;

ALTER TABLE ONLY of_old_agno.agno_spans
    ADD CONSTRAINT agno_spans_trace_id_fkey FOREIGN KEY (trace_id) REFERENCES of_old_agno.agno_traces(trace_id);
