BEGIN TRANSACTION;
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
INSERT INTO "agno_eval_runs" VALUES('e1','accuracy','{"score": 0.5}','{"question": "\u00e9"}','first','desk',NULL,NULL,NULL,NULL,NULL,1795267598,1795267598);
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
INSERT INTO "agno_metrics" VALUES('70415d60-b3f1-400c-88a3-f96dd4d90d89',5,2,1,2,1,1,2,'{"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "audio_total_tokens": 0, "audio_input_tokens": 0, "audio_output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0}','[]','2025-11-01','daily',1795267598,1795267598,1);
INSERT INTO "agno_metrics" VALUES('e1239280-494e-4228-b06a-8be81837b3de',1,0,0,1,0,0,0,'{"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "audio_total_tokens": 0, "audio_input_tokens": 0, "audio_output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0}','[]','2025-11-02','daily',1795267598,1795267598,1);
INSERT INTO "agno_metrics" VALUES('f69bb063-90e2-4456-8791-708ce983ea17',1,0,0,1,0,0,1,'{"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, "audio_total_tokens": 0, "audio_input_tokens": 0, "audio_output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0}','[]','2026-11-21','daily',1795267598,1795267598,0);
CREATE TABLE agno_schema_versions (
	table_name VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	updated_at VARCHAR, 
	PRIMARY KEY (table_name)
);
INSERT INTO "agno_schema_versions" VALUES('agno_sessions','2.3.0','2026-11-21T13:26:37.777646','2026-11-21T13:26:37.777646');
INSERT INTO "agno_schema_versions" VALUES('agno_memories','2.3.0','2026-11-21T13:26:38.807231','2026-11-21T13:26:38.807231');
INSERT INTO "agno_schema_versions" VALUES('agno_eval_runs','2.3.0','2026-11-21T13:26:38.850806','2026-11-21T13:26:38.850806');
INSERT INTO "agno_schema_versions" VALUES('agno_knowledge','2.3.0','2026-11-21T13:26:38.862607','2026-11-21T13:26:38.862607');
INSERT INTO "agno_schema_versions" VALUES('agno_metrics','2.3.0','2026-11-21T13:26:38.870633','2026-11-21T13:26:38.870633');
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
INSERT INTO "agno_sessions" VALUES('s3','agent','desk',NULL,NULL,'ada','"{\"session_state\": {\"asked\": 3}}"','null',NULL,NULL,'null','"[{\"run_id\": \"s3-0\", \"agent_id\": \"desk\", \"session_id\": \"s3\", \"user_id\": \"ada\", \"content\": \"S3: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1761998400, \"status\": \"ERROR\", \"messages\": [{\"id\": \"a970021c-2010-4e32-9647-af0d81c4da08\", \"content\": \"s3: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267597}, {\"id\": \"9ed2e073-cb8a-4374-b070-ef98e06b0f09\", \"content\": \"S3: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267597}], \"input\": {\"input_content\": \"s3: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}, {\"run_id\": \"s3-1\", \"agent_id\": \"desk\", \"session_id\": \"s3\", \"user_id\": \"ada\", \"content\": \"S3: TURN 1 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1761998401, \"status\": \"COMPLETED\", \"messages\": [{\"id\": \"4ae26788-2f95-4181-a6b0-2a06c85bf105\", \"content\": \"s3: turn 1 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267597}, {\"id\": \"bd2b4209-abb8-4c18-80e5-4dc33803c007\", \"content\": \"S3: TURN 1 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267597}], \"input\": {\"input_content\": \"s3: turn 1 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}, {\"run_id\": \"s3-2\", \"agent_id\": \"desk\", \"session_id\": \"s3\", \"user_id\": \"ada\", \"content\": \"S3: TURN 2 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1761998402, \"status\": \"COMPLETED\", \"messages\": [{\"id\": \"6360d982-49b5-4dbb-8c8a-349c0937af78\", \"content\": \"s3: turn 2 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267597}, {\"id\": \"1e53225e-dfbb-4742-bcf6-ed3f1ea21f3c\", \"content\": \"S3: TURN 2 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267597}], \"input\": {\"input_content\": \"s3: turn 2 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}]"','null',1761998400,1761998400);
INSERT INTO "agno_sessions" VALUES('s2','agent','desk',NULL,NULL,'bob','"{\"session_state\": {\"asked\": 2}}"','null',NULL,NULL,'null','"[{\"run_id\": \"s2-0\", \"agent_id\": \"desk\", \"session_id\": \"s2\", \"user_id\": \"bob\", \"content\": \"S2: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1761998400, \"status\": \"ERROR\", \"messages\": [{\"id\": \"11be1c4b-a09f-4672-ae1f-2be5609f8070\", \"content\": \"s2: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267597}, {\"id\": \"5290909e-3566-4f51-a779-4f22463ce76f\", \"content\": \"S2: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267597}], \"input\": {\"input_content\": \"s2: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}, {\"run_id\": \"s2-1\", \"agent_id\": \"desk\", \"session_id\": \"s2\", \"user_id\": \"bob\", \"content\": \"S2: TURN 1 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1761998401, \"status\": \"COMPLETED\", \"messages\": [{\"id\": \"e9c8293a-5e68-4be8-b189-d353ed8ed3b1\", \"content\": \"s2: turn 1 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267597}, {\"id\": \"6a226b8d-061c-4206-9595-76c33c53d63a\", \"content\": \"S2: TURN 1 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267597}], \"input\": {\"input_content\": \"s2: turn 1 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}]"','null',1761998400,1761998400);
INSERT INTO "agno_sessions" VALUES('s1','agent','desk',NULL,NULL,NULL,'"{\"session_state\": {\"asked\": 1}}"','null',NULL,NULL,'null','"[{\"run_id\": \"s1-0\", \"agent_id\": \"desk\", \"session_id\": \"s1\", \"content\": \"S1: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1762084800, \"status\": \"ERROR\", \"messages\": [{\"id\": \"c0561be3-b324-4a50-b4e8-a7fdbd006be4\", \"content\": \"s1: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267597}, {\"id\": \"2d094a66-7787-4780-9286-4bbef9d62a88\", \"content\": \"S1: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267597}], \"input\": {\"input_content\": \"s1: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}]"','null',1762084800,1762084800);
INSERT INTO "agno_sessions" VALUES('t1','team',NULL,'crew',NULL,'ada','"{\"session_state\": {}}"',NULL,'null',NULL,'null','"[{\"run_id\": \"t1-0\", \"team_id\": \"crew\", \"session_id\": \"t1\", \"content\": \"all of us\", \"content_type\": \"str\", \"member_responses\": [], \"created_at\": 1761998400, \"status\": \"COMPLETED\"}, {\"run_id\": \"t1-1\", \"agent_id\": \"desk\", \"session_id\": \"t1\", \"parent_run_id\": \"t1-0\", \"content\": \"one of us\", \"content_type\": \"str\", \"created_at\": 1761998400, \"status\": \"COMPLETED\"}]"','null',1761998400,1761998400);
INSERT INTO "agno_sessions" VALUES('w1','workflow',NULL,NULL,'nightly','bob','"{\"session_state\": {}}"',NULL,NULL,'"{}"','"{}"','"[{\"content\": \"done\", \"content_type\": \"str\", \"workflow_id\": \"nightly\", \"workflow_name\": \"nightly\", \"run_id\": \"w1-0\", \"session_id\": \"w1\", \"created_at\": 1761998400, \"status\": \"COMPLETED\"}]"','null',1761998400,1795267597);
INSERT INTO "agno_sessions" VALUES('today','agent','desk',NULL,NULL,'ada','"{\"session_state\": {\"asked\": 1}}"','null',NULL,NULL,'null','"[{\"run_id\": \"today-0\", \"agent_id\": \"desk\", \"session_id\": \"today\", \"user_id\": \"ada\", \"content\": \"TODAY: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"content_type\": \"str\", \"created_at\": 1761998400, \"status\": \"ERROR\", \"messages\": [{\"id\": \"5d41a66e-cc12-46fe-9db3-9ff5f942ef96\", \"content\": \"today: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"user\", \"created_at\": 1795267597}, {\"id\": \"a79f8a31-c24a-47d7-b707-f499265252e5\", \"content\": \"TODAY: TURN 0 \\u2013 NA\\u00cfVE \\u201cQUOTES\\u201d \\ud83d\\ude42 \\\\ \\\" '' %S\", \"from_history\": false, \"stop_after_tool_call\": false, \"role\": \"assistant\", \"created_at\": 1795267597}], \"input\": {\"input_content\": \"today: turn 0 \\u2013 na\\u00efve \\u201cquotes\\u201d \\ud83d\\ude42 \\\\ \\\" '' %s\"}}]"','null',1795267597,1795267597);
INSERT INTO "agno_sessions" VALUES('s0','agent','desk',NULL,NULL,'ada','null','null',NULL,NULL,'null','null','null',1761998400,1761998400);
CREATE INDEX idx_agno_schema_versions_created_at ON agno_schema_versions (created_at);
CREATE INDEX idx_agno_sessions_created_at ON agno_sessions (created_at);
CREATE INDEX idx_agno_sessions_session_type ON agno_sessions (session_type);
CREATE INDEX idx_agno_memories_updated_at ON agno_memories (updated_at);
CREATE INDEX idx_agno_memories_user_id ON agno_memories (user_id);
CREATE INDEX idx_agno_memories_created_at ON agno_memories (created_at);
CREATE INDEX idx_agno_eval_runs_created_at ON agno_eval_runs (created_at);
CREATE INDEX idx_agno_metrics_aggregation_period ON agno_metrics (aggregation_period);
CREATE INDEX idx_agno_metrics_date ON agno_metrics (date);
COMMIT;
