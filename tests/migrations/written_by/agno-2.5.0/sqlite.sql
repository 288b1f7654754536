BEGIN TRANSACTION;
CREATE TABLE agno_approvals (
	id VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	session_id VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	source_type VARCHAR NOT NULL, 
	approval_type VARCHAR, 
	pause_type VARCHAR NOT NULL, 
	tool_name VARCHAR, 
	tool_args JSON, 
	expires_at BIGINT, 
	agent_id VARCHAR, 
	team_id VARCHAR, 
	workflow_id VARCHAR, 
	user_id VARCHAR, 
	schedule_id VARCHAR, 
	schedule_run_id VARCHAR, 
	source_name VARCHAR, 
	requirements JSON, 
	context JSON, 
	resolution_data JSON, 
	resolved_by VARCHAR, 
	resolved_at BIGINT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (id)
);
INSERT INTO "agno_approvals" VALUES('a1','s3-2','s3','pending','agent',NULL,'confirmation',NULL,NULL,NULL,'desk',NULL,NULL,'ada',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1761998400,1795267617);
CREATE TABLE agno_component_configs (
	component_id VARCHAR NOT NULL, 
	version BIGINT NOT NULL, 
	label VARCHAR, 
	stage VARCHAR NOT NULL, 
	config JSON NOT NULL, 
	notes VARCHAR, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (component_id, version)
);
INSERT INTO "agno_component_configs" VALUES('desk',1,NULL,'published','{"name": "Desk"}','first',1795267617,NULL);
CREATE TABLE agno_component_links (
	parent_component_id VARCHAR NOT NULL, 
	parent_version BIGINT NOT NULL, 
	link_kind VARCHAR NOT NULL, 
	link_key VARCHAR NOT NULL, 
	child_component_id VARCHAR NOT NULL, 
	child_version BIGINT, 
	position BIGINT NOT NULL, 
	meta JSON, 
	created_at BIGINT, 
	updated_at BIGINT, 
	PRIMARY KEY (parent_component_id, parent_version, link_kind, link_key)
);
CREATE TABLE agno_components (
	component_id VARCHAR NOT NULL, 
	component_type VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR, 
	current_version BIGINT, 
	metadata JSON, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	deleted_at BIGINT, 
	PRIMARY KEY (component_id)
);
INSERT INTO "agno_components" VALUES('desk','agent','Desk',NULL,1,'null',1795267617,1795267617,NULL);
CREATE TABLE agno_eval_runs (
	run_id VARCHAR NOT NULL, 
	eval_type VARCHAR NOT NULL, 
	eval_data JSON NOT NULL, 
	eval_input JSON NOT NULL, 
	name VARCHAR, 
	agent_id VARCHAR, 
	team_id VARCHAR, 
	workflow_id VARCHAR, 
	model_id VARCHAR, 
	model_provider VARCHAR, 
	evaluated_component_name VARCHAR, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (run_id)
);
INSERT INTO "agno_eval_runs" VALUES('e1','accuracy','{"score": 0.5}','{"question": "\u00e9"}','first','desk',NULL,NULL,NULL,NULL,NULL,1795267617,1795267617);
CREATE TABLE agno_knowledge (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	metadata JSON, 
	type VARCHAR, 
	size BIGINT, 
	linked_to VARCHAR, 
	access_count BIGINT, 
	status VARCHAR, 
	status_message VARCHAR, 
	created_at BIGINT, 
	updated_at BIGINT, 
	external_id VARCHAR, 
	PRIMARY KEY (id)
);
INSERT INTO "agno_knowledge" VALUES('k1','manual','how to','{"pages": 3}',NULL,NULL,'base',NULL,'completed',NULL,1761998400,1761998400,NULL);
CREATE TABLE agno_learnings (
	learning_id VARCHAR NOT NULL, 
	learning_type VARCHAR NOT NULL, 
	namespace VARCHAR, 
	user_id VARCHAR, 
	agent_id VARCHAR, 
	team_id VARCHAR, 
	workflow_id VARCHAR, 
	session_id VARCHAR, 
	entity_id VARCHAR, 
	entity_type VARCHAR, 
	content JSON NOT NULL, 
	metadata JSON, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (learning_id)
);
INSERT INTO "agno_learnings" VALUES('entity_user_company_acme','entity_memory','user','ada',NULL,NULL,NULL,NULL,'acme','company','{"name": "Acme", "facts": [{"id": "f1", "content": "buys tea"}], "user_id": "ada"}','null',1795267617,1795267617);
INSERT INTO "agno_learnings" VALUES('profile_ada','user_profile',NULL,'ada',NULL,NULL,NULL,NULL,NULL,NULL,'{"name": "Ada"}','null',1795267617,1795267617);
CREATE TABLE agno_memories (
	memory_id VARCHAR NOT NULL, 
	memory JSON NOT NULL, 
	input VARCHAR, 
	agent_id VARCHAR, 
	team_id VARCHAR, 
	user_id VARCHAR, 
	topics JSON, 
	feedback VARCHAR, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (memory_id)
);
INSERT INTO "agno_memories" VALUES('m1','"likes tea \u2615"',NULL,NULL,NULL,'ada','["drinks"]',NULL,1761998400,1761998400);
INSERT INTO "agno_memories" VALUES('m2','"lives in Ulm"',NULL,NULL,NULL,'bob','[]',NULL,1761998400,1761998400);
INSERT INTO "agno_memories" VALUES('m3','"of nobody"',NULL,NULL,NULL,NULL,'null',NULL,1761998400,1761998400);
CREATE TABLE agno_metrics (
	id VARCHAR NOT NULL, 
	agent_runs_count BIGINT NOT NULL, 
	team_runs_count BIGINT NOT NULL, 
	workflow_runs_count BIGINT NOT NULL, 
	agent_sessions_count BIGINT NOT NULL, 
	team_sessions_count BIGINT NOT NULL, 
	workflow_sessions_count BIGINT NOT NULL, 
	users_count BIGINT NOT NULL, 
	token_metrics JSON NOT NULL, 
	model_metrics JSON NOT NULL, 
	date DATE NOT NULL, 
	aggregation_period VARCHAR NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	completed BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT agno_metrics_uq_metrics_date_period UNIQUE (date, aggregation_period)
);
INSERT INTO "agno_metrics" VALUES('fecdbbe5-29c4-4637-8ca6-5efc975005f2',5,2,1,2,1,1,2,'{"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "audio_total_tokens": 0, "audio_input_tokens": 0, "audio_output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0}','[]','2025-11-01','daily',1795267618,1795267618,1);
INSERT INTO "agno_metrics" VALUES('5fd1fc45-43b8-4813-a977-98502b2ca4b7',1,0,0,1,0,0,0,'{"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "audio_total_tokens": 0, "audio_input_tokens": 0, "audio_output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0}','[]','2025-11-02','daily',1795267618,1795267618,1);
INSERT INTO "agno_metrics" VALUES('6dabf729-4e99-4dcc-853d-72abd3b56fc7',1,0,0,1,0,0,1,'{"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "audio_total_tokens": 0, "audio_input_tokens": 0, "audio_output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0}','[]','2026-11-21','daily',1795267618,1795267618,0);
CREATE TABLE agno_schedule_runs (
	id VARCHAR NOT NULL, 
	schedule_id VARCHAR NOT NULL, 
	attempt BIGINT NOT NULL, 
	triggered_at BIGINT, 
	completed_at BIGINT, 
	status VARCHAR NOT NULL, 
	status_code BIGINT, 
	run_id VARCHAR, 
	session_id VARCHAR, 
	error VARCHAR, 
	input JSON, 
	output JSON, 
	requirements JSON, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(schedule_id) REFERENCES agno_schedules (id) ON DELETE CASCADE
);
INSERT INTO "agno_schedule_runs" VALUES('sr1','sc1',1,NULL,NULL,'success',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1761998400);
CREATE TABLE agno_schedules (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR, 
	method VARCHAR NOT NULL, 
	endpoint VARCHAR NOT NULL, 
	payload JSON, 
	cron_expr VARCHAR NOT NULL, 
	timezone VARCHAR NOT NULL, 
	timeout_seconds BIGINT NOT NULL, 
	max_retries BIGINT NOT NULL, 
	retry_delay_seconds BIGINT NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	next_run_at BIGINT, 
	locked_by VARCHAR, 
	locked_at BIGINT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (id)
);
INSERT INTO "agno_schedules" VALUES('sc1','nightly',NULL,'POST','/agents/desk/runs','{"message": "hi"}','0 3 * * *','UTC',60,0,60,1,1762084800,NULL,NULL,1761998400,NULL);
CREATE TABLE agno_schema_versions (
	table_name VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	updated_at VARCHAR, 
	PRIMARY KEY (table_name)
);
INSERT INTO "agno_schema_versions" VALUES('agno_sessions','2.5.0','2026-11-21T13:26:55.824894','2026-11-21T13:26:55.824894');
INSERT INTO "agno_schema_versions" VALUES('agno_memories','2.5.0','2026-11-21T13:26:57.416019','2026-11-21T13:26:57.416019');
INSERT INTO "agno_schema_versions" VALUES('agno_eval_runs','2.5.0','2026-11-21T13:26:57.440390','2026-11-21T13:26:57.440390');
INSERT INTO "agno_schema_versions" VALUES('agno_knowledge','2.5.0','2026-11-21T13:26:57.452788','2026-11-21T13:26:57.452788');
INSERT INTO "agno_schema_versions" VALUES('agno_traces','2.5.0','2026-11-21T13:26:57.740993','2026-11-21T13:26:57.740993');
INSERT INTO "agno_schema_versions" VALUES('agno_spans','2.5.0','2026-11-21T13:26:57.773214','2026-11-21T13:26:57.773214');
INSERT INTO "agno_schema_versions" VALUES('agno_learnings','2.5.0','2026-11-21T13:26:57.802367','2026-11-21T13:26:57.802367');
INSERT INTO "agno_schema_versions" VALUES('agno_components','2.5.0','2026-11-21T13:26:57.829769','2026-11-21T13:26:57.829769');
INSERT INTO "agno_schema_versions" VALUES('agno_component_configs','2.5.0','2026-11-21T13:26:57.851946','2026-11-21T13:26:57.851946');
INSERT INTO "agno_schema_versions" VALUES('agno_component_links','2.5.0','2026-11-21T13:26:57.866544','2026-11-21T13:26:57.866544');
INSERT INTO "agno_schema_versions" VALUES('agno_schedules','2.5.0','2026-11-21T13:26:57.891554','2026-11-21T13:26:57.891554');
INSERT INTO "agno_schema_versions" VALUES('agno_schedule_runs','2.5.0','2026-11-21T13:26:57.908438','2026-11-21T13:26:57.908438');
INSERT INTO "agno_schema_versions" VALUES('agno_approvals','2.5.0','2026-11-21T13:26:57.975699','2026-11-21T13:26:57.975699');
INSERT INTO "agno_schema_versions" VALUES('agno_metrics','2.5.0','2026-11-21T13:26:57.991876','2026-11-21T13:26:57.991876');
CREATE TABLE agno_sessions (
	session_id VARCHAR NOT NULL, 
	session_type VARCHAR NOT NULL, 
	agent_id VARCHAR, 
	team_id VARCHAR, 
	workflow_id VARCHAR, 
	user_id VARCHAR, 
	session_data JSON, 
	agent_data JSON, 
	team_data JSON, 
	workflow_data JSON, 
	metadata JSON, 
	runs JSON, 
	summary JSON, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (session_id)
);
INSERT INTO "agno_sessions" VALUES('s3','agent','desk',NULL,NULL,'ada','"{\"session_state\": {\"asked\": 3}}"','null',NULL,NULL,'null','"[{\"run_id\": \"s3-0\", \"agent_id\": \"desk\", \"session_id\": \"s3\", \"user_id\": \"ada\", \"content\": \"S3: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1761998400, \"status\": \"ERROR\", \"messages\": [{\"id\": \"0ee30fad-e757-4645-b662-bc5fd156dcc1\", \"content\": \"s3: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267615}, {\"id\": \"c206b1bd-ce20-48c7-91ab-8191acb771d9\", \"content\": \"S3: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267615}], \"input\": {\"input_content\": \"s3: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}, {\"run_id\": \"s3-1\", \"agent_id\": \"desk\", \"session_id\": \"s3\", \"user_id\": \"ada\", \"content\": \"S3: TURN 1 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1761998401, \"status\": \"COMPLETED\", \"messages\": [{\"id\": \"f502f444-9261-452d-810b-a93fab67925c\", \"content\": \"s3: turn 1 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267615}, {\"id\": \"1cf7154d-e524-4af2-bac9-09011e8e4658\", \"content\": \"S3: TURN 1 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267615}], \"input\": {\"input_content\": \"s3: turn 1 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}, {\"run_id\": \"s3-2\", \"agent_id\": \"desk\", \"session_id\": \"s3\", \"user_id\": \"ada\", \"content\": \"S3: TURN 2 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1761998402, \"status\": \"COMPLETED\", \"messages\": [{\"id\": \"5d0d0edc-4579-4a40-a8c9-1e18d666e642\", \"content\": \"s3: turn 2 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267615}, {\"id\": \"9477456e-efd9-4afa-9a2a-4a164e1f8ba7\", \"content\": \"S3: TURN 2 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267615}], \"input\": {\"input_content\": \"s3: turn 2 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}]"','null',1761998400,1761998400);
INSERT INTO "agno_sessions" VALUES('s2','agent','desk',NULL,NULL,'bob','"{\"session_state\": {\"asked\": 2}}"','null',NULL,NULL,'null','"[{\"run_id\": \"s2-0\", \"agent_id\": \"desk\", \"session_id\": \"s2\", \"user_id\": \"bob\", \"content\": \"S2: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1761998400, \"status\": \"ERROR\", \"messages\": [{\"id\": \"3eae73fb-d600-43e0-b4de-c95bb0213df6\", \"content\": \"s2: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267615}, {\"id\": \"42660fb7-633d-411d-bec7-2c782e05a68d\", \"content\": \"S2: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267615}], \"input\": {\"input_content\": \"s2: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}, {\"run_id\": \"s2-1\", \"agent_id\": \"desk\", \"session_id\": \"s2\", \"user_id\": \"bob\", \"content\": \"S2: TURN 1 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1761998401, \"status\": \"COMPLETED\", \"messages\": [{\"id\": \"6e298cc4-6928-4fb6-a8ff-1f0afafe30be\", \"content\": \"s2: turn 1 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267615}, {\"id\": \"49914e7e-fadd-416f-90b9-bdb948e2bbfd\", \"content\": \"S2: TURN 1 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267615}], \"input\": {\"input_content\": \"s2: turn 1 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}]"','null',1761998400,1761998400);
INSERT INTO "agno_sessions" VALUES('s1','agent','desk',NULL,NULL,NULL,'"{\"session_state\": {\"asked\": 1}}"','null',NULL,NULL,'null','"[{\"run_id\": \"s1-0\", \"agent_id\": \"desk\", \"session_id\": \"s1\", \"content\": \"S1: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1762084800, \"status\": \"ERROR\", \"messages\": [{\"id\": \"29a9a75d-7a30-4218-a2a6-fe38883c5219\", \"content\": \"s1: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267615}, {\"id\": \"9ed61374-3a63-408f-9b34-df664b407257\", \"content\": \"S1: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267615}], \"input\": {\"input_content\": \"s1: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}]"','null',1762084800,1762084800);
INSERT INTO "agno_sessions" VALUES('t1','team',NULL,'crew',NULL,'ada','"{\"session_state\": {}}"',NULL,'null',NULL,'null','"[{\"run_id\": \"t1-0\", \"team_id\": \"crew\", \"session_id\": \"t1\", \"content\": \"all of us\", \"content_type\": \"str\", \"member_responses\": [], \"created_at\": 1761998400, \"status\": \"COMPLETED\"}, {\"run_id\": \"t1-1\", \"agent_id\": \"desk\", \"session_id\": \"t1\", \"parent_run_id\": \"t1-0\", \"content\": \"one of us\", \"content_type\": \"str\", \"created_at\": 1761998400, \"status\": \"COMPLETED\"}]"','null',1761998400,1761998400);
INSERT INTO "agno_sessions" VALUES('w1','workflow',NULL,NULL,'nightly','bob','"{\"session_state\": {}}"',NULL,NULL,'"{}"','"{}"','"[{\"content\": \"done\", \"content_type\": \"str\", \"workflow_id\": \"nightly\", \"workflow_name\": \"nightly\", \"run_id\": \"w1-0\", \"session_id\": \"w1\", \"created_at\": 1761998400, \"status\": \"COMPLETED\"}]"','null',1761998400,1795267615);
INSERT INTO "agno_sessions" VALUES('today','agent','desk',NULL,NULL,'ada','"{\"session_state\": {\"asked\": 1}}"','null',NULL,NULL,'null','"[{\"run_id\": \"today-0\", \"agent_id\": \"desk\", \"session_id\": \"today\", \"user_id\": \"ada\", \"content\": \"TODAY: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1761998400, \"status\": \"ERROR\", \"messages\": [{\"id\": \"6fdac69f-4159-4cbf-9701-7b5dca42d8e0\", \"content\": \"today: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267615}, {\"id\": \"14bde062-48a9-4b91-879d-63b2a5284714\", \"content\": \"TODAY: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267615}], \"input\": {\"input_content\": \"today: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}]"','null',1795267615,1795267615);
INSERT INTO "agno_sessions" VALUES('s0','agent','desk',NULL,NULL,'ada','null','null',NULL,NULL,'null','null','null',1761998400,1761998400);
CREATE TABLE agno_spans (
	span_id VARCHAR NOT NULL, 
	trace_id VARCHAR NOT NULL, 
	parent_span_id VARCHAR, 
	name VARCHAR NOT NULL, 
	span_kind VARCHAR NOT NULL, 
	status_code VARCHAR NOT NULL, 
	status_message VARCHAR, 
	start_time VARCHAR NOT NULL, 
	end_time VARCHAR NOT NULL, 
	duration_ms BIGINT NOT NULL, 
	attributes JSON, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (span_id), 
	FOREIGN KEY(trace_id) REFERENCES agno_traces (trace_id)
);
INSERT INTO "agno_spans" VALUES('sp1','tr1',NULL,'desk.run','AGENT','OK',NULL,'2025-11-01T12:00:00+00:00','2025-11-01T12:00:02+00:00',2000,'{"openinference.span.kind": "AGENT"}','2025-11-01T12:00:00+00:00');
CREATE TABLE agno_traces (
	trace_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	start_time VARCHAR NOT NULL, 
	end_time VARCHAR NOT NULL, 
	duration_ms BIGINT NOT NULL, 
	run_id VARCHAR, 
	session_id VARCHAR, 
	user_id VARCHAR, 
	agent_id VARCHAR, 
	team_id VARCHAR, 
	workflow_id VARCHAR, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (trace_id)
);
INSERT INTO "agno_traces" VALUES('tr1','desk.run','OK','2025-11-01T12:00:00+00:00','2025-11-01T12:00:02+00:00',2000,'s3-0','s3','ada','desk',NULL,NULL,'2025-11-01T12:00:00+00:00');
CREATE INDEX idx_agno_sessions_session_type ON agno_sessions (session_type);
CREATE INDEX idx_agno_sessions_created_at ON agno_sessions (created_at);
CREATE INDEX idx_agno_schema_versions_created_at ON agno_schema_versions (created_at);
CREATE INDEX idx_agno_memories_user_id ON agno_memories (user_id);
CREATE INDEX idx_agno_memories_updated_at ON agno_memories (updated_at);
CREATE INDEX idx_agno_memories_created_at ON agno_memories (created_at);
CREATE INDEX idx_agno_eval_runs_created_at ON agno_eval_runs (created_at);
CREATE INDEX idx_agno_traces_run_id ON agno_traces (run_id);
CREATE INDEX idx_agno_traces_session_id ON agno_traces (session_id);
CREATE INDEX idx_agno_traces_agent_id ON agno_traces (agent_id);
CREATE INDEX idx_agno_traces_workflow_id ON agno_traces (workflow_id);
CREATE INDEX idx_agno_traces_team_id ON agno_traces (team_id);
CREATE INDEX idx_agno_traces_created_at ON agno_traces (created_at);
CREATE INDEX idx_agno_traces_start_time ON agno_traces (start_time);
CREATE INDEX idx_agno_traces_status ON agno_traces (status);
CREATE INDEX idx_agno_traces_user_id ON agno_traces (user_id);
CREATE INDEX idx_agno_spans_created_at ON agno_spans (created_at);
CREATE INDEX idx_agno_spans_trace_id ON agno_spans (trace_id);
CREATE INDEX idx_agno_spans_start_time ON agno_spans (start_time);
CREATE INDEX idx_agno_spans_parent_span_id ON agno_spans (parent_span_id);
CREATE INDEX idx_agno_learnings_learning_type ON agno_learnings (learning_type);
CREATE INDEX idx_agno_learnings_namespace ON agno_learnings (namespace);
CREATE INDEX idx_agno_learnings_user_id ON agno_learnings (user_id);
CREATE INDEX idx_agno_learnings_team_id ON agno_learnings (team_id);
CREATE INDEX idx_agno_learnings_session_id ON agno_learnings (session_id);
CREATE INDEX idx_agno_learnings_entity_type ON agno_learnings (entity_type);
CREATE INDEX idx_agno_learnings_workflow_id ON agno_learnings (workflow_id);
CREATE INDEX idx_agno_learnings_entity_id ON agno_learnings (entity_id);
CREATE INDEX idx_agno_learnings_created_at ON agno_learnings (created_at);
CREATE INDEX idx_agno_learnings_agent_id ON agno_learnings (agent_id);
CREATE INDEX idx_agno_components_created_at ON agno_components (created_at);
CREATE INDEX idx_agno_components_current_version ON agno_components (current_version);
CREATE INDEX idx_agno_components_component_type ON agno_components (component_type);
CREATE INDEX idx_agno_components_name ON agno_components (name);
CREATE INDEX idx_agno_component_configs_created_at ON agno_component_configs (created_at);
CREATE INDEX idx_agno_component_configs_stage ON agno_component_configs (stage);
CREATE INDEX idx_agno_component_links_created_at ON agno_component_links (created_at);
CREATE INDEX idx_agno_component_links_link_kind ON agno_component_links (link_kind);
CREATE INDEX idx_agno_schedules_name ON agno_schedules (name);
CREATE INDEX idx_agno_schedules_next_run_at ON agno_schedules (next_run_at);
CREATE INDEX idx_agno_schedules_enabled_next_run_at ON agno_schedules (enabled, next_run_at);
CREATE INDEX idx_agno_schedules_created_at ON agno_schedules (created_at);
CREATE INDEX idx_agno_schedule_runs_status ON agno_schedule_runs (status);
CREATE INDEX idx_agno_schedule_runs_created_at ON agno_schedule_runs (created_at);
CREATE INDEX idx_agno_schedule_runs_schedule_id ON agno_schedule_runs (schedule_id);
CREATE INDEX idx_agno_approvals_agent_id ON agno_approvals (agent_id);
CREATE INDEX idx_agno_approvals_schedule_id ON agno_approvals (schedule_id);
CREATE INDEX idx_agno_approvals_source_type ON agno_approvals (source_type);
CREATE INDEX idx_agno_approvals_run_id ON agno_approvals (run_id);
CREATE INDEX idx_agno_approvals_pause_type ON agno_approvals (pause_type);
CREATE INDEX idx_agno_approvals_user_id ON agno_approvals (user_id);
CREATE INDEX idx_agno_approvals_team_id ON agno_approvals (team_id);
CREATE INDEX idx_agno_approvals_workflow_id ON agno_approvals (workflow_id);
CREATE INDEX idx_agno_approvals_created_at ON agno_approvals (created_at);
CREATE INDEX idx_agno_approvals_schedule_run_id ON agno_approvals (schedule_run_id);
CREATE INDEX idx_agno_approvals_status ON agno_approvals (status);
CREATE INDEX idx_agno_approvals_session_id ON agno_approvals (session_id);
CREATE INDEX idx_agno_approvals_approval_type ON agno_approvals (approval_type);
CREATE INDEX idx_agno_metrics_date ON agno_metrics (date);
CREATE INDEX idx_agno_metrics_aggregation_period ON agno_metrics (aggregation_period);
COMMIT;
