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
	run_status VARCHAR, 
	PRIMARY KEY (id)
);
INSERT INTO "agno_approvals" VALUES('a1','s3-2','s3','pending','agent',NULL,'confirmation',NULL,NULL,NULL,'desk',NULL,NULL,'ada',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1761998400,1795267657,NULL);
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
INSERT INTO "agno_component_configs" VALUES('desk',1,NULL,'published','{"name": "Desk"}','first',1795267657,NULL);
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
	user_id VARCHAR, 
	description VARCHAR, 
	current_version BIGINT, 
	metadata JSON, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	deleted_at BIGINT, 
	PRIMARY KEY (component_id)
);
INSERT INTO "agno_components" VALUES('desk','agent','Desk',NULL,NULL,1,'null',1795267657,1795267657,NULL);
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
	user_id VARCHAR, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (run_id)
);
INSERT INTO "agno_eval_runs" VALUES('e1','accuracy','{"score": 0.5}','{"question": "\u00e9"}','first','desk',NULL,NULL,NULL,NULL,NULL,NULL,1795267656,1795267656);
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
	user_id VARCHAR, 
	PRIMARY KEY (id)
);
INSERT INTO "agno_knowledge" VALUES('k1','manual','how to','{"pages": 3}',NULL,NULL,'base',NULL,'completed',NULL,1761998400,1761998400,NULL,NULL);
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
INSERT INTO "agno_learnings" VALUES('entity_user_company_acme','entity_memory','user','ada',NULL,NULL,NULL,NULL,'acme','company','{"name": "Acme", "facts": [{"id": "f1", "content": "buys tea"}], "user_id": "ada"}','null',1795267657,1795267657);
INSERT INTO "agno_learnings" VALUES('profile_ada','user_profile',NULL,'ada',NULL,NULL,NULL,NULL,NULL,NULL,'{"name": "Ada"}','null',1795267657,1795267657);
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
	user_id VARCHAR NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	completed BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT agno_metrics_uq_metrics_user_date_period UNIQUE (user_id, date, aggregation_period)
);
INSERT INTO "agno_metrics" VALUES('8c63a18d-e776-4c74-ae67-884873210866',3,2,0,1,1,0,1,'{"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "audio_total_tokens": 0, "audio_input_tokens": 0, "audio_output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0}','[]','2025-11-01','daily','ada',1795267657,1795267657,1);
INSERT INTO "agno_metrics" VALUES('9bf096a9-d06c-49d8-9390-54d7cbadfc7b',2,0,1,1,0,1,1,'{"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "audio_total_tokens": 0, "audio_input_tokens": 0, "audio_output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0}','[]','2025-11-01','daily','bob',1795267657,1795267657,1);
INSERT INTO "agno_metrics" VALUES('62895f96-37fc-41f3-9b93-95e71ca8128d',1,0,0,1,0,0,0,'{"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "audio_total_tokens": 0, "audio_input_tokens": 0, "audio_output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0}','[]','2025-11-02','daily','',1795267657,1795267657,1);
INSERT INTO "agno_metrics" VALUES('0974e1d5-4d7d-496b-80ff-0e5f23391ad7',1,0,0,1,0,0,1,'{"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "audio_total_tokens": 0, "audio_input_tokens": 0, "audio_output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0}','[]','2026-11-21','daily','ada',1795267657,1795267657,0);
CREATE TABLE agno_runs (
	run_id VARCHAR NOT NULL, 
	session_id VARCHAR NOT NULL, 
	run_type VARCHAR NOT NULL, 
	agent_id VARCHAR, 
	team_id VARCHAR, 
	workflow_id VARCHAR, 
	user_id VARCHAR, 
	parent_run_id VARCHAR, 
	status VARCHAR, 
	run_index BIGINT, 
	run_data JSON NOT NULL, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (run_id), 
	FOREIGN KEY(session_id) REFERENCES agno_sessions (session_id) ON DELETE CASCADE
);
INSERT INTO "agno_runs" VALUES('s3-0','s3','agent','desk',NULL,NULL,'ada',NULL,'ERROR',0,'{"run_id": "s3-0", "agent_id": "desk", "session_id": "s3", "user_id": "ada", "content": "S3: TURN 0 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "content_type": "str", "created_at": 1761998400, "status": "ERROR", "messages": [{"id": "c3b5f73d-bfbe-4fcf-a9d4-42f567e5637b", "content": "s3: turn 0 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s", "from_history": false, "stop_after_tool_call": false, "role": "user", "created_at": 1795267656}, {"id": "642dc7f3-2c6e-40ed-924d-b350f4831184", "content": "S3: TURN 0 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "from_history": false, "stop_after_tool_call": false, "role": "assistant", "created_at": 1795267656}], "input": {"input_content": "s3: turn 0 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s"}}',1761998400,1795267656);
INSERT INTO "agno_runs" VALUES('s3-1','s3','agent','desk',NULL,NULL,'ada',NULL,'COMPLETED',1,'{"run_id": "s3-1", "agent_id": "desk", "session_id": "s3", "user_id": "ada", "content": "S3: TURN 1 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "content_type": "str", "created_at": 1761998401, "status": "COMPLETED", "messages": [{"id": "48422a2f-b9e5-40be-907c-7caf69f8cdc9", "content": "s3: turn 1 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s", "from_history": false, "stop_after_tool_call": false, "role": "user", "created_at": 1795267656}, {"id": "94072c02-1243-4755-b74b-376de7cfda8a", "content": "S3: TURN 1 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "from_history": false, "stop_after_tool_call": false, "role": "assistant", "created_at": 1795267656}], "input": {"input_content": "s3: turn 1 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s"}}',1761998401,1795267656);
INSERT INTO "agno_runs" VALUES('s3-2','s3','agent','desk',NULL,NULL,'ada',NULL,'COMPLETED',2,'{"run_id": "s3-2", "agent_id": "desk", "session_id": "s3", "user_id": "ada", "content": "S3: TURN 2 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "content_type": "str", "created_at": 1761998402, "status": "COMPLETED", "messages": [{"id": "866f0245-7201-41af-8536-49558f0f31b3", "content": "s3: turn 2 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s", "from_history": false, "stop_after_tool_call": false, "role": "user", "created_at": 1795267656}, {"id": "fdcf7f77-babe-413e-8881-64ff792fe63f", "content": "S3: TURN 2 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "from_history": false, "stop_after_tool_call": false, "role": "assistant", "created_at": 1795267656}], "input": {"input_content": "s3: turn 2 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s"}}',1761998402,1795267656);
INSERT INTO "agno_runs" VALUES('s2-0','s2','agent','desk',NULL,NULL,'bob',NULL,'ERROR',0,'{"run_id": "s2-0", "agent_id": "desk", "session_id": "s2", "user_id": "bob", "content": "S2: TURN 0 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "content_type": "str", "created_at": 1761998400, "status": "ERROR", "messages": [{"id": "99718822-9a8d-4bcb-9b96-574337ffb5ec", "content": "s2: turn 0 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s", "from_history": false, "stop_after_tool_call": false, "role": "user", "created_at": 1795267656}, {"id": "39821379-fc31-4ec0-96da-1e9c61ff3e8e", "content": "S2: TURN 0 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "from_history": false, "stop_after_tool_call": false, "role": "assistant", "created_at": 1795267656}], "input": {"input_content": "s2: turn 0 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s"}}',1761998400,1795267656);
INSERT INTO "agno_runs" VALUES('s2-1','s2','agent','desk',NULL,NULL,'bob',NULL,'COMPLETED',1,'{"run_id": "s2-1", "agent_id": "desk", "session_id": "s2", "user_id": "bob", "content": "S2: TURN 1 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "content_type": "str", "created_at": 1761998401, "status": "COMPLETED", "messages": [{"id": "445c397d-096a-498c-9b07-760b72aa516c", "content": "s2: turn 1 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s", "from_history": false, "stop_after_tool_call": false, "role": "user", "created_at": 1795267656}, {"id": "0698cb59-e9c4-47b9-aea2-e1722a01ec45", "content": "S2: TURN 1 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "from_history": false, "stop_after_tool_call": false, "role": "assistant", "created_at": 1795267656}], "input": {"input_content": "s2: turn 1 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s"}}',1761998401,1795267656);
INSERT INTO "agno_runs" VALUES('s1-0','s1','agent','desk',NULL,NULL,NULL,NULL,'ERROR',0,'{"run_id": "s1-0", "agent_id": "desk", "session_id": "s1", "content": "S1: TURN 0 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "content_type": "str", "created_at": 1762084800, "status": "ERROR", "messages": [{"id": "f434dc05-9de9-4a0d-b955-b3116f21a9df", "content": "s1: turn 0 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s", "from_history": false, "stop_after_tool_call": false, "role": "user", "created_at": 1795267656}, {"id": "573f6599-23e1-416f-8b5d-bf7cac58c7e0", "content": "S1: TURN 0 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "from_history": false, "stop_after_tool_call": false, "role": "assistant", "created_at": 1795267656}], "input": {"input_content": "s1: turn 0 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s"}}',1762084800,1795267656);
INSERT INTO "agno_runs" VALUES('t1-0','t1','team',NULL,'crew',NULL,'ada',NULL,'COMPLETED',0,'{"run_id": "t1-0", "team_id": "crew", "session_id": "t1", "content": "all of us", "content_type": "str", "created_at": 1761998400, "status": "COMPLETED", "member_responses": []}',1761998400,1795267656);
INSERT INTO "agno_runs" VALUES('t1-1','t1','agent','desk',NULL,NULL,'ada','t1-0','COMPLETED',1,'{"run_id": "t1-1", "agent_id": "desk", "session_id": "t1", "parent_run_id": "t1-0", "content": "one of us", "content_type": "str", "created_at": 1761998400, "status": "COMPLETED"}',1761998400,1795267656);
INSERT INTO "agno_runs" VALUES('w1-0','w1','workflow',NULL,NULL,'nightly','bob',NULL,'COMPLETED',0,'{"content": "done", "content_type": "str", "workflow_id": "nightly", "workflow_name": "nightly", "run_id": "w1-0", "session_id": "w1", "created_at": 1761998400, "status": "COMPLETED"}',1761998400,1795267656);
INSERT INTO "agno_runs" VALUES('today-0','today','agent','desk',NULL,NULL,'ada',NULL,'ERROR',0,'{"run_id": "today-0", "agent_id": "desk", "session_id": "today", "user_id": "ada", "content": "TODAY: TURN 0 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "content_type": "str", "created_at": 1761998400, "status": "ERROR", "messages": [{"id": "d1483b82-6ecc-4979-ba29-04627ba1305b", "content": "today: turn 0 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s", "from_history": false, "stop_after_tool_call": false, "role": "user", "created_at": 1795267656}, {"id": "92bd2264-867d-47b5-bcab-73865eb45461", "content": "TODAY: TURN 0 \u2013 NA\u00cfVE \u201cQUOTES\u201d \ud83d\ude42 \\ \" '' %S", "from_history": false, "stop_after_tool_call": false, "role": "assistant", "created_at": 1795267656}], "input": {"input_content": "today: turn 0 \u2013 na\u00efve \u201cquotes\u201d \ud83d\ude42 \\ \" '' %s"}}',1761998400,1795267656);
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
	user_id VARCHAR, 
	created_at BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(schedule_id) REFERENCES agno_schedules (id) ON DELETE CASCADE
);
INSERT INTO "agno_schedule_runs" VALUES('sr1','sc1',1,NULL,NULL,'success',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1761998400);
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
	user_id VARCHAR, 
	managed_by VARCHAR, 
	target_type VARCHAR, 
	target_id VARCHAR, 
	created_by_run_id VARCHAR, 
	created_by_session_id VARCHAR, 
	updated_by_run_id VARCHAR, 
	updated_by_session_id VARCHAR, 
	disabled_reason VARCHAR, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (id)
);
INSERT INTO "agno_schedules" VALUES('sc1','nightly',NULL,'POST','/agents/desk/runs','{"message": "hi"}','0 3 * * *','UTC',60,0,60,1,1762084800,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1761998400,NULL);
CREATE TABLE agno_schema_versions (
	table_name VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	updated_at VARCHAR, 
	PRIMARY KEY (table_name)
);
INSERT INTO "agno_schema_versions" VALUES('agno_sessions','3.0.0','2026-11-21T13:27:36.828072','2026-11-21T13:27:36.828072');
INSERT INTO "agno_schema_versions" VALUES('agno_runs','3.0.0','2026-11-21T13:27:36.841014','2026-11-21T13:27:36.841014');
INSERT INTO "agno_schema_versions" VALUES('agno_memories','3.0.0','2026-11-21T13:27:36.891900','2026-11-21T13:27:36.891900');
INSERT INTO "agno_schema_versions" VALUES('agno_eval_runs','3.0.0','2026-11-21T13:27:36.901245','2026-11-21T13:27:36.901245');
INSERT INTO "agno_schema_versions" VALUES('agno_knowledge','3.0.0','2026-11-21T13:27:36.907273','2026-11-21T13:27:36.907273');
INSERT INTO "agno_schema_versions" VALUES('agno_traces','3.0.0','2026-11-21T13:27:37.134077','2026-11-21T13:27:37.134077');
INSERT INTO "agno_schema_versions" VALUES('agno_spans','3.0.0','2026-11-21T13:27:37.144563','2026-11-21T13:27:37.144563');
INSERT INTO "agno_schema_versions" VALUES('agno_learnings','3.0.0','2026-11-21T13:27:37.179314','2026-11-21T13:27:37.179314');
INSERT INTO "agno_schema_versions" VALUES('agno_components','3.0.0','2026-11-21T13:27:37.230399','2026-11-21T13:27:37.230399');
INSERT INTO "agno_schema_versions" VALUES('agno_component_configs','3.0.0','2026-11-21T13:27:37.247240','2026-11-21T13:27:37.247240');
INSERT INTO "agno_schema_versions" VALUES('agno_component_links','3.0.0','2026-11-21T13:27:37.268904','2026-11-21T13:27:37.268904');
INSERT INTO "agno_schema_versions" VALUES('agno_schedules','3.0.0','2026-11-21T13:27:37.324171','2026-11-21T13:27:37.324171');
INSERT INTO "agno_schema_versions" VALUES('agno_schedule_runs','3.0.0','2026-11-21T13:27:37.339009','2026-11-21T13:27:37.339009');
INSERT INTO "agno_schema_versions" VALUES('agno_approvals','3.0.0','2026-11-21T13:27:37.380013','2026-11-21T13:27:37.380013');
INSERT INTO "agno_schema_versions" VALUES('agno_metrics','3.0.0','2026-11-21T13:27:37.452876','2026-11-21T13:27:37.452876');
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
	summary JSON, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT, 
	PRIMARY KEY (session_id)
);
INSERT INTO "agno_sessions" VALUES('s3','agent','desk',NULL,NULL,'ada','"{\"session_state\": {\"asked\": 3}}"','null',NULL,NULL,'null','null',1761998400,1761998400);
INSERT INTO "agno_sessions" VALUES('s2','agent','desk',NULL,NULL,'bob','"{\"session_state\": {\"asked\": 2}}"','null',NULL,NULL,'null','null',1761998400,1761998400);
INSERT INTO "agno_sessions" VALUES('s1','agent','desk',NULL,NULL,NULL,'"{\"session_state\": {\"asked\": 1}}"','null',NULL,NULL,'null','null',1762084800,1762084800);
INSERT INTO "agno_sessions" VALUES('t1','team',NULL,'crew',NULL,'ada','"{\"session_state\": {}}"',NULL,'null',NULL,'null','null',1761998400,1761998400);
INSERT INTO "agno_sessions" VALUES('w1','workflow',NULL,NULL,'nightly','bob','"{\"session_state\": {}}"',NULL,NULL,'"{}"','"{}"','null',1761998400,1761998400);
INSERT INTO "agno_sessions" VALUES('today','agent','desk',NULL,NULL,'ada','"{\"session_state\": {\"asked\": 1}}"','null',NULL,NULL,'null','null',1795267656,1795267656);
INSERT INTO "agno_sessions" VALUES('s0','agent','desk',NULL,NULL,'ada','null','null',NULL,NULL,'null','null',1761998400,1761998400);
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
CREATE INDEX idx_agno_sessions_created_at ON agno_sessions (created_at);
CREATE INDEX idx_agno_sessions_session_type ON agno_sessions (session_type);
CREATE INDEX idx_agno_schema_versions_created_at ON agno_schema_versions (created_at);
CREATE INDEX idx_agno_runs_user_id ON agno_runs (user_id);
CREATE INDEX idx_agno_runs_workflow_id ON agno_runs (workflow_id);
CREATE INDEX idx_agno_runs_run_type ON agno_runs (run_type);
CREATE INDEX idx_agno_runs_status ON agno_runs (status);
CREATE INDEX idx_agno_runs_created_at ON agno_runs (created_at);
CREATE INDEX idx_agno_runs_session_id_run_index ON agno_runs (session_id, run_index);
CREATE INDEX idx_agno_runs_session_id ON agno_runs (session_id);
CREATE INDEX idx_agno_runs_agent_id ON agno_runs (agent_id);
CREATE INDEX idx_agno_runs_team_id ON agno_runs (team_id);
CREATE INDEX idx_agno_memories_user_id ON agno_memories (user_id);
CREATE INDEX idx_agno_memories_created_at ON agno_memories (created_at);
CREATE INDEX idx_agno_memories_updated_at ON agno_memories (updated_at);
CREATE INDEX idx_agno_eval_runs_user_id ON agno_eval_runs (user_id);
CREATE INDEX idx_agno_eval_runs_created_at ON agno_eval_runs (created_at);
CREATE INDEX idx_agno_knowledge_user_id_linked_to ON agno_knowledge (user_id, linked_to);
CREATE INDEX idx_agno_knowledge_user_id ON agno_knowledge (user_id);
CREATE INDEX idx_agno_traces_start_time ON agno_traces (start_time);
CREATE INDEX idx_agno_traces_agent_id ON agno_traces (agent_id);
CREATE INDEX idx_agno_traces_workflow_id ON agno_traces (workflow_id);
CREATE INDEX idx_agno_traces_created_at ON agno_traces (created_at);
CREATE INDEX idx_agno_traces_session_id ON agno_traces (session_id);
CREATE INDEX idx_agno_traces_user_id ON agno_traces (user_id);
CREATE INDEX idx_agno_traces_status ON agno_traces (status);
CREATE INDEX idx_agno_traces_run_id ON agno_traces (run_id);
CREATE INDEX idx_agno_traces_team_id ON agno_traces (team_id);
CREATE INDEX idx_agno_spans_start_time ON agno_spans (start_time);
CREATE INDEX idx_agno_spans_trace_id ON agno_spans (trace_id);
CREATE INDEX idx_agno_spans_created_at ON agno_spans (created_at);
CREATE INDEX idx_agno_spans_parent_span_id ON agno_spans (parent_span_id);
CREATE INDEX idx_agno_learnings_created_at ON agno_learnings (created_at);
CREATE INDEX idx_agno_learnings_agent_id ON agno_learnings (agent_id);
CREATE INDEX idx_agno_learnings_entity_id ON agno_learnings (entity_id);
CREATE INDEX idx_agno_learnings_namespace ON agno_learnings (namespace);
CREATE INDEX idx_agno_learnings_session_id ON agno_learnings (session_id);
CREATE INDEX idx_agno_learnings_workflow_id ON agno_learnings (workflow_id);
CREATE INDEX idx_agno_learnings_entity_type ON agno_learnings (entity_type);
CREATE INDEX idx_agno_learnings_learning_type ON agno_learnings (learning_type);
CREATE INDEX idx_agno_learnings_team_id ON agno_learnings (team_id);
CREATE INDEX idx_agno_learnings_user_id ON agno_learnings (user_id);
CREATE INDEX idx_agno_components_component_type ON agno_components (component_type);
CREATE INDEX idx_agno_components_created_at ON agno_components (created_at);
CREATE INDEX idx_agno_components_current_version ON agno_components (current_version);
CREATE INDEX idx_agno_components_name ON agno_components (name);
CREATE INDEX idx_agno_components_user_id ON agno_components (user_id);
CREATE INDEX idx_agno_component_configs_stage ON agno_component_configs (stage);
CREATE INDEX idx_agno_component_configs_created_at ON agno_component_configs (created_at);
CREATE INDEX idx_agno_component_links_link_kind ON agno_component_links (link_kind);
CREATE INDEX idx_agno_component_links_created_at ON agno_component_links (created_at);
CREATE INDEX idx_agno_schedules_enabled_next_run_at ON agno_schedules (enabled, next_run_at);
CREATE INDEX idx_agno_schedules_target_id ON agno_schedules (target_id);
CREATE INDEX idx_agno_schedules_created_at ON agno_schedules (created_at);
CREATE UNIQUE INDEX agno_schedules_uq_unowned_name ON agno_schedules (name) WHERE user_id IS NULL;
CREATE INDEX idx_agno_schedules_name ON agno_schedules (name);
CREATE INDEX idx_agno_schedules_user_id_enabled_next_run_at ON agno_schedules (user_id, enabled, next_run_at);
CREATE INDEX idx_agno_schedules_managed_by ON agno_schedules (managed_by);
CREATE INDEX idx_agno_schedules_next_run_at ON agno_schedules (next_run_at);
CREATE UNIQUE INDEX agno_schedules_uq_user_name ON agno_schedules (user_id, name) WHERE user_id IS NOT NULL;
CREATE INDEX idx_agno_schedules_user_id ON agno_schedules (user_id);
CREATE INDEX idx_agno_schedule_runs_status ON agno_schedule_runs (status);
CREATE INDEX idx_agno_schedule_runs_created_at ON agno_schedule_runs (created_at);
CREATE INDEX idx_agno_schedule_runs_schedule_id ON agno_schedule_runs (schedule_id);
CREATE INDEX idx_agno_schedule_runs_user_id ON agno_schedule_runs (user_id);
CREATE INDEX idx_agno_approvals_approval_type ON agno_approvals (approval_type);
CREATE INDEX idx_agno_approvals_team_id ON agno_approvals (team_id);
CREATE INDEX idx_agno_approvals_schedule_run_id ON agno_approvals (schedule_run_id);
CREATE INDEX idx_agno_approvals_run_id ON agno_approvals (run_id);
CREATE INDEX idx_agno_approvals_agent_id ON agno_approvals (agent_id);
CREATE INDEX idx_agno_approvals_schedule_id ON agno_approvals (schedule_id);
CREATE INDEX idx_agno_approvals_source_type ON agno_approvals (source_type);
CREATE INDEX idx_agno_approvals_pause_type ON agno_approvals (pause_type);
CREATE INDEX idx_agno_approvals_workflow_id ON agno_approvals (workflow_id);
CREATE INDEX idx_agno_approvals_user_id ON agno_approvals (user_id);
CREATE INDEX idx_agno_approvals_run_status ON agno_approvals (run_status);
CREATE INDEX idx_agno_approvals_created_at ON agno_approvals (created_at);
CREATE INDEX idx_agno_approvals_session_id ON agno_approvals (session_id);
CREATE INDEX idx_agno_approvals_status ON agno_approvals (status);
CREATE INDEX idx_agno_metrics_date ON agno_metrics (date);
CREATE INDEX idx_agno_metrics_user_id ON agno_metrics (user_id);
CREATE INDEX idx_agno_metrics_aggregation_period ON agno_metrics (aggregation_period);
COMMIT;
