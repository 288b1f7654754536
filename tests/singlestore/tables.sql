CREATE TABLE IF NOT EXISTS ai.agno_schema_versions (
    table_name VARCHAR(128) NOT NULL, 
    version VARCHAR(10) NOT NULL, 
    created_at VARCHAR(128) NOT NULL, 
    updated_at VARCHAR(128), 
    PRIMARY KEY (table_name), 
    SHARD KEY (table_name), 
    SORT KEY (created_at), 
    INDEX idx_agno_schema_versions_created_at (created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_sessions (
    session_id VARCHAR(128) NOT NULL, 
    session_type VARCHAR(20) NOT NULL, 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    workflow_id VARCHAR(128), 
    user_id VARCHAR(128), 
    session_data JSON, 
    agent_data JSON, 
    team_data JSON, 
    workflow_data JSON, 
    metadata JSON, 
    summary JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (session_id), 
    SHARD KEY (session_id), 
    SORT KEY (created_at), 
    INDEX dbr_agno_sessions_agent_id_created_at (agent_id, created_at), 
    INDEX dbr_agno_sessions_team_id_created_at (team_id, created_at), 
    INDEX dbr_agno_sessions_user_id_created_at (user_id, created_at), 
    INDEX dbr_agno_sessions_workflow_id_created_at (workflow_id, created_at), 
    INDEX idx_agno_sessions_created_at (created_at), 
    INDEX idx_agno_sessions_session_type (session_type)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_runs (
    run_id VARCHAR(128) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    run_type VARCHAR(20) NOT NULL, 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    workflow_id VARCHAR(128), 
    user_id VARCHAR(128), 
    parent_run_id VARCHAR(128), 
    status VARCHAR(50), 
    run_index BIGINT, 
    run_data JSON NOT NULL, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (run_id), 
    SHARD KEY (run_id), 
    SORT KEY (created_at), 
    INDEX idx_agno_runs_agent_id (agent_id), 
    INDEX idx_agno_runs_created_at (created_at), 
    INDEX idx_agno_runs_run_type (run_type), 
    INDEX idx_agno_runs_session_id (session_id), 
    INDEX idx_agno_runs_session_id_run_index (session_id, run_index), 
    INDEX idx_agno_runs_status (status), 
    INDEX idx_agno_runs_team_id (team_id), 
    INDEX idx_agno_runs_user_id (user_id), 
    INDEX idx_agno_runs_workflow_id (workflow_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_transcripts (
    framework VARCHAR(32) NOT NULL, 
    project_key VARCHAR(200) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    subpath VARCHAR(200) NOT NULL, 
    position BIGINT NOT NULL, 
    entry_uuid VARCHAR(64), 
    entry LONGTEXT NOT NULL, 
    agno_session_id VARCHAR(128) NOT NULL, 
    created_at BIGINT NOT NULL, 
    PRIMARY KEY (framework, project_key, session_id, subpath, position), 
    SHARD KEY (framework, project_key, session_id, subpath, position), 
    SORT KEY (created_at), 
    INDEX idx_agno_transcripts_agno_session_id (agno_session_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_compactions (
    compaction_id VARCHAR(128) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    run_id VARCHAR(128), 
    user_id VARCHAR(128), 
    first_kept_message_id VARCHAR(128), 
    summary LONGTEXT, 
    archived_messages LONGTEXT, 
    messages_compacted BIGINT, 
    tokens_before BIGINT, 
    tokens_after BIGINT, 
    created_at BIGINT NOT NULL, 
    PRIMARY KEY (compaction_id), 
    SHARD KEY (compaction_id), 
    SORT KEY (created_at), 
    INDEX idx_agno_compactions_session_id_created_at (session_id, created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_tool_results (
    result_id VARCHAR(128) NOT NULL, 
    namespace VARCHAR(128) NOT NULL, 
    path VARCHAR(500) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    run_id VARCHAR(128) NOT NULL, 
    tool_call_id VARCHAR(128) NOT NULL, 
    tool_name VARCHAR(128) NOT NULL, 
    args_hash VARCHAR(128) NOT NULL, 
    content_type VARCHAR(128) NOT NULL, 
    size_bytes BIGINT NOT NULL, 
    line_count BIGINT NOT NULL, 
    preview LONGTEXT NOT NULL, 
    user_id VARCHAR(128), 
    created_at BIGINT NOT NULL, 
    expires_at BIGINT, 
    PRIMARY KEY (result_id), 
    SHARD KEY (result_id), 
    SORT KEY (created_at), 
    INDEX idx_agno_tool_results_expires_at (expires_at), 
    INDEX idx_agno_tool_results_session_id_created_at (session_id, created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_sessions_sandbox_bindings (
    namespace VARCHAR(128) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    agent_id VARCHAR(128) NOT NULL, 
    user_id VARCHAR(128), 
    epoch BIGINT NOT NULL, 
    owner VARCHAR(128), 
    run_id VARCHAR(128), 
    queue_attempt BIGINT, 
    expires_at DATETIME(6), 
    record JSON NOT NULL, 
    PRIMARY KEY (namespace, session_id), 
    SHARD KEY (namespace, session_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_memories (
    memory_id VARCHAR(128) NOT NULL, 
    memory JSON NOT NULL, 
    feedback TEXT, 
    input TEXT, 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    user_id VARCHAR(128), 
    topics JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (memory_id), 
    SHARD KEY (memory_id), 
    SORT KEY (created_at), 
    INDEX dbr_agno_memories_user_id_updated_at (user_id, updated_at), 
    INDEX idx_agno_memories_created_at (created_at), 
    INDEX idx_agno_memories_updated_at (updated_at), 
    INDEX idx_agno_memories_user_id (user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_knowledge (
    id VARCHAR(128) NOT NULL, 
    name VARCHAR(255) NOT NULL, 
    description TEXT NOT NULL, 
    metadata JSON, 
    type VARCHAR(50), 
    size BIGINT, 
    linked_to VARCHAR(128), 
    access_count BIGINT, 
    status VARCHAR(50), 
    status_message TEXT, 
    created_at BIGINT, 
    updated_at BIGINT, 
    external_id VARCHAR(128), 
    user_id VARCHAR(128), 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX idx_agno_knowledge_user_id (user_id), 
    INDEX idx_agno_knowledge_user_id_linked_to (user_id, linked_to)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_eval_runs (
    run_id VARCHAR(128) NOT NULL, 
    eval_type VARCHAR(50) NOT NULL, 
    eval_data JSON NOT NULL, 
    eval_input JSON NOT NULL, 
    name VARCHAR(255), 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    workflow_id VARCHAR(128), 
    model_id VARCHAR(128), 
    model_provider VARCHAR(50), 
    evaluated_component_name VARCHAR(255), 
    user_id VARCHAR(128), 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (run_id), 
    SHARD KEY (run_id), 
    SORT KEY (created_at), 
    INDEX idx_agno_eval_runs_created_at (created_at), 
    INDEX idx_agno_eval_runs_user_id (user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_metrics (
    id VARCHAR(128) NOT NULL, 
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
    aggregation_period VARCHAR(20) NOT NULL, 
    user_id VARCHAR(128) NOT NULL, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    completed BOOL NOT NULL, 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX idx_agno_metrics_date (date), 
    INDEX idx_agno_metrics_user_id (user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_traces (
    trace_id VARCHAR(128) NOT NULL, 
    name VARCHAR(512) NOT NULL, 
    status VARCHAR(20) NOT NULL, 
    start_time VARCHAR(64) NOT NULL, 
    end_time VARCHAR(64) NOT NULL, 
    duration_ms BIGINT NOT NULL, 
    run_id VARCHAR(128), 
    session_id VARCHAR(128), 
    user_id VARCHAR(128), 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    workflow_id VARCHAR(128), 
    created_at VARCHAR(64) NOT NULL, 
    PRIMARY KEY (trace_id), 
    SHARD KEY (trace_id), 
    SORT KEY (created_at), 
    INDEX dbr_agno_traces_start_time_trace_id (start_time, trace_id), 
    INDEX idx_agno_traces_agent_id (agent_id), 
    INDEX idx_agno_traces_created_at (created_at), 
    INDEX idx_agno_traces_run_id (run_id), 
    INDEX idx_agno_traces_session_id (session_id), 
    INDEX idx_agno_traces_start_time (start_time), 
    INDEX idx_agno_traces_status (status), 
    INDEX idx_agno_traces_team_id (team_id), 
    INDEX idx_agno_traces_user_id (user_id), 
    INDEX idx_agno_traces_workflow_id (workflow_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_spans (
    span_id VARCHAR(128) NOT NULL, 
    trace_id VARCHAR(128) NOT NULL, 
    parent_span_id VARCHAR(128), 
    name VARCHAR(512) NOT NULL, 
    span_kind VARCHAR(50) NOT NULL, 
    status_code VARCHAR(20) NOT NULL, 
    status_message TEXT, 
    start_time VARCHAR(64) NOT NULL, 
    end_time VARCHAR(64) NOT NULL, 
    duration_ms BIGINT NOT NULL, 
    attributes JSON, 
    created_at VARCHAR(64) NOT NULL, 
    PRIMARY KEY (span_id), 
    SHARD KEY (span_id), 
    SORT KEY (created_at), 
    INDEX idx_agno_spans_created_at (created_at), 
    INDEX idx_agno_spans_parent_span_id (parent_span_id), 
    INDEX idx_agno_spans_start_time (start_time), 
    INDEX idx_agno_spans_trace_id (trace_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_approvals (
    id VARCHAR(128) NOT NULL, 
    run_id VARCHAR(128) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    status VARCHAR(50) NOT NULL, 
    source_type VARCHAR(128) NOT NULL, 
    approval_type VARCHAR(128), 
    pause_type VARCHAR(128) NOT NULL, 
    tool_name VARCHAR(128), 
    tool_args JSON, 
    expires_at BIGINT, 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    workflow_id VARCHAR(128), 
    user_id VARCHAR(128), 
    schedule_id VARCHAR(128), 
    schedule_run_id VARCHAR(128), 
    source_name VARCHAR(255), 
    requirements JSON, 
    context JSON, 
    resolution_data JSON, 
    resolved_by VARCHAR(128), 
    resolved_at BIGINT, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    run_status VARCHAR(50), 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX idx_agno_approvals_agent_id (agent_id), 
    INDEX idx_agno_approvals_approval_type (approval_type), 
    INDEX idx_agno_approvals_created_at (created_at), 
    INDEX idx_agno_approvals_pause_type (pause_type), 
    INDEX idx_agno_approvals_run_id (run_id), 
    INDEX idx_agno_approvals_run_status (run_status), 
    INDEX idx_agno_approvals_schedule_id (schedule_id), 
    INDEX idx_agno_approvals_schedule_run_id (schedule_run_id), 
    INDEX idx_agno_approvals_session_id (session_id), 
    INDEX idx_agno_approvals_source_type (source_type), 
    INDEX idx_agno_approvals_status (status), 
    INDEX idx_agno_approvals_team_id (team_id), 
    INDEX idx_agno_approvals_user_id (user_id), 
    INDEX idx_agno_approvals_workflow_id (workflow_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_schedules (
    id VARCHAR(128) NOT NULL, 
    name VARCHAR(255) NOT NULL, 
    description LONGTEXT, 
    method VARCHAR(128) NOT NULL, 
    endpoint VARCHAR(2000) NOT NULL, 
    payload JSON, 
    cron_expr VARCHAR(255) NOT NULL, 
    timezone VARCHAR(128) NOT NULL, 
    timeout_seconds BIGINT NOT NULL, 
    max_retries BIGINT NOT NULL, 
    retry_delay_seconds BIGINT NOT NULL, 
    enabled BOOL NOT NULL, 
    next_run_at BIGINT, 
    locked_by VARCHAR(128), 
    locked_at BIGINT, 
    user_id VARCHAR(128), 
    managed_by VARCHAR(128), 
    target_type VARCHAR(128), 
    target_id VARCHAR(128), 
    created_by_run_id VARCHAR(128), 
    created_by_session_id VARCHAR(128), 
    updated_by_run_id VARCHAR(128), 
    updated_by_session_id VARCHAR(128), 
    disabled_reason VARCHAR(1000), 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX idx_agno_schedules_created_at (created_at), 
    INDEX idx_agno_schedules_enabled_next_run_at (enabled, next_run_at), 
    INDEX idx_agno_schedules_managed_by (managed_by), 
    INDEX idx_agno_schedules_name (name), 
    INDEX idx_agno_schedules_next_run_at (next_run_at), 
    INDEX idx_agno_schedules_target_id (target_id), 
    INDEX idx_agno_schedules_user_id (user_id), 
    INDEX idx_agno_schedules_user_id_enabled_next_run_at (user_id, enabled, next_run_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_schedule_runs (
    id VARCHAR(128) NOT NULL, 
    schedule_id VARCHAR(128) NOT NULL, 
    attempt BIGINT NOT NULL, 
    triggered_at BIGINT, 
    completed_at BIGINT, 
    status VARCHAR(50) NOT NULL, 
    status_code BIGINT, 
    run_id VARCHAR(128), 
    session_id VARCHAR(128), 
    error LONGTEXT, 
    input JSON, 
    output JSON, 
    requirements JSON, 
    user_id VARCHAR(128), 
    created_at BIGINT NOT NULL, 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX dbr_agno_schedule_runs_schedule_id_created_at (schedule_id, created_at), 
    INDEX idx_agno_schedule_runs_created_at (created_at), 
    INDEX idx_agno_schedule_runs_schedule_id (schedule_id), 
    INDEX idx_agno_schedule_runs_status (status), 
    INDEX idx_agno_schedule_runs_user_id (user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_learnings (
    learning_id VARCHAR(128) NOT NULL, 
    learning_type VARCHAR(128) NOT NULL, 
    namespace VARCHAR(128), 
    user_id VARCHAR(128), 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    workflow_id VARCHAR(128), 
    session_id VARCHAR(128), 
    entity_id VARCHAR(128), 
    entity_type VARCHAR(128), 
    content JSON NOT NULL, 
    metadata JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (learning_id), 
    SHARD KEY (learning_id), 
    SORT KEY (created_at), 
    INDEX dbr_agno_learnings_updated_at (updated_at), 
    INDEX idx_agno_learnings_agent_id (agent_id), 
    INDEX idx_agno_learnings_created_at (created_at), 
    INDEX idx_agno_learnings_entity_id (entity_id), 
    INDEX idx_agno_learnings_entity_type (entity_type), 
    INDEX idx_agno_learnings_learning_type (learning_type), 
    INDEX idx_agno_learnings_namespace (namespace), 
    INDEX idx_agno_learnings_session_id (session_id), 
    INDEX idx_agno_learnings_team_id (team_id), 
    INDEX idx_agno_learnings_user_id (user_id), 
    INDEX idx_agno_learnings_workflow_id (workflow_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_components (
    component_id VARCHAR(128) NOT NULL, 
    component_type VARCHAR(128) NOT NULL, 
    name VARCHAR(255), 
    user_id VARCHAR(128), 
    description LONGTEXT, 
    current_version BIGINT, 
    metadata JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    deleted_at BIGINT, 
    PRIMARY KEY (component_id), 
    SHARD KEY (component_id), 
    SORT KEY (created_at), 
    INDEX idx_agno_components_component_type (component_type), 
    INDEX idx_agno_components_created_at (created_at), 
    INDEX idx_agno_components_current_version (current_version), 
    INDEX idx_agno_components_name (name), 
    INDEX idx_agno_components_user_id (user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_component_configs (
    component_id VARCHAR(128) NOT NULL, 
    version BIGINT NOT NULL, 
    label VARCHAR(128), 
    stage VARCHAR(128) NOT NULL, 
    config JSON NOT NULL, 
    notes LONGTEXT, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    deleted_at BIGINT, 
    PRIMARY KEY (component_id, version), 
    SHARD KEY (component_id, version), 
    SORT KEY (created_at), 
    INDEX idx_agno_component_configs_created_at (created_at), 
    INDEX idx_agno_component_configs_stage (stage)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_component_links (
    parent_component_id VARCHAR(128) NOT NULL, 
    parent_version BIGINT NOT NULL, 
    link_kind VARCHAR(128) NOT NULL, 
    link_key VARCHAR(255) NOT NULL, 
    child_component_id VARCHAR(128) NOT NULL, 
    child_version BIGINT, 
    position BIGINT NOT NULL, 
    meta JSON, 
    created_at BIGINT, 
    updated_at BIGINT, 
    PRIMARY KEY (parent_component_id, parent_version, link_kind, link_key), 
    SHARD KEY (parent_component_id, parent_version, link_kind, link_key), 
    SORT KEY (created_at), 
    INDEX idx_agno_component_links_created_at (created_at), 
    INDEX idx_agno_component_links_link_kind (link_kind)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_company_products (
    id VARCHAR(128) NOT NULL, 
    name VARCHAR(255), 
    purpose LONGTEXT, 
    user_id VARCHAR(128), 
    metadata JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    deleted_at BIGINT, 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX idx_agno_company_products_created_at (created_at), 
    INDEX idx_agno_company_products_name (name), 
    INDEX idx_agno_company_products_user_id (user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_company_sources (
    id VARCHAR(128) NOT NULL, 
    product_id VARCHAR(128) NOT NULL, 
    reference LONGTEXT NOT NULL, 
    type VARCHAR(50) NOT NULL, 
    credential_ref VARCHAR(1000), 
    user_id VARCHAR(128), 
    config JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    deleted_at BIGINT, 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX idx_agno_company_sources_created_at (created_at), 
    INDEX idx_agno_company_sources_product_id (product_id), 
    INDEX idx_agno_company_sources_user_id (user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_company_projects (
    id VARCHAR(128) NOT NULL, 
    name VARCHAR(255), 
    outcome LONGTEXT, 
    user_id VARCHAR(128), 
    transitions JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    deleted_at BIGINT, 
    product_id VARCHAR(128) NOT NULL, 
    status VARCHAR(50) NOT NULL, 
    target_date BIGINT, 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX idx_agno_company_projects_created_at (created_at), 
    INDEX idx_agno_company_projects_name (name), 
    INDEX idx_agno_company_projects_product_id (product_id), 
    INDEX idx_agno_company_projects_status (status), 
    INDEX idx_agno_company_projects_user_id (user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_company_tasks (
    id VARCHAR(128) NOT NULL, 
    product_id VARCHAR(128) NOT NULL, 
    project_id VARCHAR(128), 
    title VARCHAR(255), 
    brief LONGTEXT, 
    status VARCHAR(50) NOT NULL, 
    user_id VARCHAR(128), 
    executor_type VARCHAR(128), 
    executor_id VARCHAR(128), 
    accepted_by VARCHAR(128), 
    accepted_at BIGINT, 
    session_id VARCHAR(128), 
    job_id VARCHAR(128), 
    evidence JSON, 
    result JSON, 
    origin VARCHAR(128), 
    routine_id VARCHAR(128), 
    dedupe_key VARCHAR(255), 
    transitions JSON, 
    metadata JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    deleted_at BIGINT, 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX idx_agno_company_tasks_created_at (created_at), 
    INDEX idx_agno_company_tasks_job_id (job_id), 
    INDEX idx_agno_company_tasks_product_id (product_id), 
    INDEX idx_agno_company_tasks_project_id (project_id), 
    INDEX idx_agno_company_tasks_session_id (session_id), 
    INDEX idx_agno_company_tasks_status (status), 
    INDEX idx_agno_company_tasks_title (title), 
    INDEX idx_agno_company_tasks_user_id (user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_jobs (
    id VARCHAR(128) NOT NULL, 
    component_type VARCHAR(128) NOT NULL, 
    job_type VARCHAR(128) NOT NULL, 
    deployment_id VARCHAR(128), 
    component_id VARCHAR(128) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    user_id VARCHAR(128), 
    payload JSON NOT NULL, 
    status VARCHAR(50) NOT NULL, 
    attempt BIGINT NOT NULL, 
    max_attempts BIGINT NOT NULL, 
    idempotency_key VARCHAR(255), 
    available_at BIGINT NOT NULL, 
    locked_by VARCHAR(128), 
    locked_at BIGINT, 
    error LONGTEXT, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    completed_at BIGINT, 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX idx_agno_jobs_component_id (component_id), 
    INDEX idx_agno_jobs_created_at (created_at), 
    INDEX idx_agno_jobs_session_id (session_id), 
    INDEX idx_agno_jobs_status (status), 
    INDEX idx_agno_jobs_status_available_at (status, available_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_auth_tokens (
    id VARCHAR(128) NOT NULL, 
    provider VARCHAR(128) NOT NULL, 
    user_id VARCHAR(128) NOT NULL, 
    service VARCHAR(128) NOT NULL, 
    token_data JSON NOT NULL, 
    granted_scopes JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX idx_agno_auth_tokens_created_at (created_at), 
    INDEX idx_agno_auth_tokens_provider (provider), 
    INDEX idx_agno_auth_tokens_service (service), 
    INDEX idx_agno_auth_tokens_user_id (user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_service_accounts (
    id VARCHAR(128) NOT NULL, 
    name VARCHAR(255) NOT NULL, 
    user_id VARCHAR(128), 
    token_hash VARCHAR(128) NOT NULL, 
    token_prefix VARCHAR(128) NOT NULL, 
    scopes JSON NOT NULL, 
    created_at BIGINT NOT NULL, 
    expires_at BIGINT, 
    last_used_at BIGINT, 
    revoked_at BIGINT, 
    created_by VARCHAR(128), 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX idx_agno_service_accounts_created_at (created_at), 
    INDEX idx_agno_service_accounts_token_hash (token_hash)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_mcp_oauth_clients (
    client_id VARCHAR(128) NOT NULL, 
    client_metadata LONGTEXT NOT NULL, 
    created_at BIGINT NOT NULL, 
    consumed_at BIGINT, 
    PRIMARY KEY (client_id), 
    SHARD KEY (client_id), 
    SORT KEY (created_at), 
    INDEX idx_agno_mcp_oauth_clients_created_at (created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_mcp_oauth_transactions (
    txn_id VARCHAR(128) NOT NULL, 
    client_id VARCHAR(128) NOT NULL, 
    params LONGTEXT NOT NULL, 
    expires_at BIGINT NOT NULL, 
    PRIMARY KEY (txn_id), 
    SHARD KEY (txn_id), 
    INDEX idx_agno_mcp_oauth_transactions_expires_at (expires_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_mcp_oauth_codes (
    code_hash VARCHAR(128) NOT NULL, 
    payload LONGTEXT NOT NULL, 
    expires_at BIGINT NOT NULL, 
    PRIMARY KEY (code_hash), 
    SHARD KEY (code_hash), 
    INDEX idx_agno_mcp_oauth_codes_expires_at (expires_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_mcp_oauth_refresh_tokens (
    token_hash VARCHAR(128) NOT NULL, 
    client_id VARCHAR(128) NOT NULL, 
    scopes LONGTEXT NOT NULL, 
    expires_at BIGINT NOT NULL, 
    family_id VARCHAR(128) NOT NULL, 
    PRIMARY KEY (token_hash), 
    SHARD KEY (token_hash), 
    INDEX idx_agno_mcp_oauth_refresh_tokens_expires_at (expires_at), 
    INDEX idx_agno_mcp_oauth_refresh_tokens_family_id (family_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_mcp_oauth_keys (
    kid VARCHAR(128) NOT NULL, 
    secret LONGTEXT NOT NULL, 
    created_at BIGINT NOT NULL, 
    PRIMARY KEY (kid), 
    SHARD KEY (kid), 
    SORT KEY (created_at), 
    INDEX idx_agno_mcp_oauth_keys_created_at (created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_authz_policy (
    `role` VARCHAR(128) NOT NULL, 
    resource VARCHAR(255) NOT NULL, 
    action VARCHAR(128) NOT NULL, 
    effect VARCHAR(128) NOT NULL, 
    PRIMARY KEY (`role`, resource, action), 
    SHARD KEY (`role`, resource, action)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_authz_grouping (
    subject VARCHAR(128) NOT NULL, 
    `role` VARCHAR(128) NOT NULL, 
    PRIMARY KEY (subject, `role`), 
    SHARD KEY (subject, `role`), 
    INDEX idx_agno_authz_grouping_role (`role`)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_authz_roles (
    slug VARCHAR(128) NOT NULL, 
    name VARCHAR(255), 
    description LONGTEXT, 
    is_default BOOL NOT NULL, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT NOT NULL, 
    PRIMARY KEY (slug), 
    SHARD KEY (slug), 
    SORT KEY (created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_authz_users (
    id VARCHAR(128) NOT NULL, 
    email VARCHAR(320), 
    name VARCHAR(255), 
    disabled BOOL NOT NULL, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT NOT NULL, 
    user_metadata LONGTEXT, 
    PRIMARY KEY (id), 
    SHARD KEY (id), 
    SORT KEY (created_at), 
    INDEX idx_agno_authz_users_created_at (created_at), 
    INDEX idx_agno_authz_users_updated_at (updated_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_authz_audit (
    event_id VARCHAR(128) NOT NULL, 
    created_at BIGINT NOT NULL, 
    actor VARCHAR(128), 
    action VARCHAR(128) NOT NULL, 
    target VARCHAR(1000), 
    `before` LONGTEXT, 
    after LONGTEXT, 
    PRIMARY KEY (event_id), 
    SHARD KEY (event_id), 
    SORT KEY (created_at), 
    INDEX idx_agno_authz_audit_created_at (created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.agno_authz_decisions (
    event_id VARCHAR(128) NOT NULL, 
    created_at BIGINT NOT NULL, 
    actor VARCHAR(128), 
    action VARCHAR(128) NOT NULL, 
    target LONGTEXT, 
    token_ref VARCHAR(128), 
    required LONGTEXT, 
    scopes LONGTEXT, 
    PRIMARY KEY (event_id), 
    SHARD KEY (event_id), 
    SORT KEY (created_at), 
    INDEX idx_agno_authz_decisions_created_at (created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.dbrouter_components_turns (
    id VARCHAR(128) NOT NULL, 
    turns BIGINT NOT NULL, 
    PRIMARY KEY (id), 
    SHARD KEY (id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.dbrouter_company_turns (
    id VARCHAR(128) NOT NULL, 
    turns BIGINT NOT NULL, 
    PRIMARY KEY (id), 
    SHARD KEY (id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.dbrouter_authz_turns (
    id VARCHAR(128) NOT NULL, 
    turns BIGINT NOT NULL, 
    PRIMARY KEY (id), 
    SHARD KEY (id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_schema_versions (
    dbr_tenant VARCHAR(128) NOT NULL, 
    table_name VARCHAR(128) NOT NULL, 
    version VARCHAR(10) NOT NULL, 
    created_at VARCHAR(128) NOT NULL, 
    updated_at VARCHAR(128), 
    PRIMARY KEY (dbr_tenant, table_name), 
    SHARD KEY (dbr_tenant, table_name), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_schema_versions_dbr_tenant_created_at (dbr_tenant, created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_sessions (
    dbr_tenant VARCHAR(128) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    session_type VARCHAR(20) NOT NULL, 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    workflow_id VARCHAR(128), 
    user_id VARCHAR(128), 
    session_data JSON, 
    agent_data JSON, 
    team_data JSON, 
    workflow_data JSON, 
    metadata JSON, 
    summary JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (dbr_tenant, session_id), 
    SHARD KEY (dbr_tenant, session_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_sessions_dbr_tenant_agent_id_created_at (dbr_tenant, agent_id, created_at), 
    INDEX dbr_tenants_agno_sessions_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_sessions_dbr_tenant_session_type (dbr_tenant, session_type), 
    INDEX dbr_tenants_agno_sessions_dbr_tenant_team_id_created_at (dbr_tenant, team_id, created_at), 
    INDEX dbr_tenants_agno_sessions_dbr_tenant_user_id_created_at (dbr_tenant, user_id, created_at), 
    INDEX dbr_tenants_agno_sessions_dbr_tenant_workflow_id_created_at (dbr_tenant, workflow_id, created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_runs (
    dbr_tenant VARCHAR(128) NOT NULL, 
    run_id VARCHAR(128) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    run_type VARCHAR(20) NOT NULL, 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    workflow_id VARCHAR(128), 
    user_id VARCHAR(128), 
    parent_run_id VARCHAR(128), 
    status VARCHAR(50), 
    run_index BIGINT, 
    run_data JSON NOT NULL, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (dbr_tenant, run_id), 
    SHARD KEY (dbr_tenant, run_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_runs_dbr_tenant_agent_id (dbr_tenant, agent_id), 
    INDEX dbr_tenants_agno_runs_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_runs_dbr_tenant_run_type (dbr_tenant, run_type), 
    INDEX dbr_tenants_agno_runs_dbr_tenant_session_id (dbr_tenant, session_id), 
    INDEX dbr_tenants_agno_runs_dbr_tenant_session_id_run_index (dbr_tenant, session_id, run_index), 
    INDEX dbr_tenants_agno_runs_dbr_tenant_status (dbr_tenant, status), 
    INDEX dbr_tenants_agno_runs_dbr_tenant_team_id (dbr_tenant, team_id), 
    INDEX dbr_tenants_agno_runs_dbr_tenant_user_id (dbr_tenant, user_id), 
    INDEX dbr_tenants_agno_runs_dbr_tenant_workflow_id (dbr_tenant, workflow_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_transcripts (
    dbr_tenant VARCHAR(128) NOT NULL, 
    framework VARCHAR(32) NOT NULL, 
    project_key VARCHAR(200) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    subpath VARCHAR(200) NOT NULL, 
    position BIGINT NOT NULL, 
    entry_uuid VARCHAR(64), 
    entry LONGTEXT NOT NULL, 
    agno_session_id VARCHAR(128) NOT NULL, 
    created_at BIGINT NOT NULL, 
    PRIMARY KEY (dbr_tenant, framework, project_key, session_id, subpath, position), 
    SHARD KEY (dbr_tenant, framework, project_key, session_id, subpath, position), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_transcripts_dbr_tenant_agno_session_id (dbr_tenant, agno_session_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_compactions (
    dbr_tenant VARCHAR(128) NOT NULL, 
    compaction_id VARCHAR(128) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    run_id VARCHAR(128), 
    user_id VARCHAR(128), 
    first_kept_message_id VARCHAR(128), 
    summary LONGTEXT, 
    archived_messages LONGTEXT, 
    messages_compacted BIGINT, 
    tokens_before BIGINT, 
    tokens_after BIGINT, 
    created_at BIGINT NOT NULL, 
    PRIMARY KEY (dbr_tenant, compaction_id), 
    SHARD KEY (dbr_tenant, compaction_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_compactions_dbr_tenant_session_id_created_at (dbr_tenant, session_id, created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_tool_results (
    dbr_tenant VARCHAR(128) NOT NULL, 
    result_id VARCHAR(128) NOT NULL, 
    namespace VARCHAR(128) NOT NULL, 
    path VARCHAR(500) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    run_id VARCHAR(128) NOT NULL, 
    tool_call_id VARCHAR(128) NOT NULL, 
    tool_name VARCHAR(128) NOT NULL, 
    args_hash VARCHAR(128) NOT NULL, 
    content_type VARCHAR(128) NOT NULL, 
    size_bytes BIGINT NOT NULL, 
    line_count BIGINT NOT NULL, 
    preview LONGTEXT NOT NULL, 
    user_id VARCHAR(128), 
    created_at BIGINT NOT NULL, 
    expires_at BIGINT, 
    PRIMARY KEY (dbr_tenant, result_id), 
    SHARD KEY (dbr_tenant, result_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_tool_results_dbr_tenant_expires_at (dbr_tenant, expires_at), 
    INDEX dbr_tenants_agno_tool_results_dbr_tenant_session_id_created_at (dbr_tenant, session_id, created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_sessions_sandbox_bindings (
    dbr_tenant VARCHAR(128) NOT NULL, 
    namespace VARCHAR(128) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    agent_id VARCHAR(128) NOT NULL, 
    user_id VARCHAR(128), 
    epoch BIGINT NOT NULL, 
    owner VARCHAR(128), 
    run_id VARCHAR(128), 
    queue_attempt BIGINT, 
    expires_at DATETIME(6), 
    record JSON NOT NULL, 
    PRIMARY KEY (dbr_tenant, namespace, session_id), 
    SHARD KEY (dbr_tenant, namespace, session_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_memories (
    dbr_tenant VARCHAR(128) NOT NULL, 
    memory_id VARCHAR(128) NOT NULL, 
    memory JSON NOT NULL, 
    feedback LONGTEXT, 
    input LONGTEXT, 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    user_id VARCHAR(128), 
    topics JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (dbr_tenant, memory_id), 
    SHARD KEY (dbr_tenant, memory_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_memories_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_memories_dbr_tenant_updated_at (dbr_tenant, updated_at), 
    INDEX dbr_tenants_agno_memories_dbr_tenant_user_id (dbr_tenant, user_id), 
    INDEX dbr_tenants_agno_memories_dbr_tenant_user_id_updated_at (dbr_tenant, user_id, updated_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_knowledge (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    name VARCHAR(255) NOT NULL, 
    description LONGTEXT NOT NULL, 
    metadata JSON, 
    type VARCHAR(50), 
    size BIGINT, 
    linked_to VARCHAR(128), 
    access_count BIGINT, 
    status VARCHAR(50), 
    status_message LONGTEXT, 
    created_at BIGINT, 
    updated_at BIGINT, 
    external_id VARCHAR(128), 
    user_id VARCHAR(128), 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_knowledge_dbr_tenant_user_id (dbr_tenant, user_id), 
    INDEX dbr_tenants_agno_knowledge_dbr_tenant_user_id_linked_to (dbr_tenant, user_id, linked_to)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_eval_runs (
    dbr_tenant VARCHAR(128) NOT NULL, 
    run_id VARCHAR(128) NOT NULL, 
    eval_type VARCHAR(50) NOT NULL, 
    eval_data JSON NOT NULL, 
    eval_input JSON NOT NULL, 
    name VARCHAR(255), 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    workflow_id VARCHAR(128), 
    model_id VARCHAR(128), 
    model_provider VARCHAR(50), 
    evaluated_component_name VARCHAR(255), 
    user_id VARCHAR(128), 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (dbr_tenant, run_id), 
    SHARD KEY (dbr_tenant, run_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_eval_runs_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_eval_runs_dbr_tenant_user_id (dbr_tenant, user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_metrics (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
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
    aggregation_period VARCHAR(20) NOT NULL, 
    user_id VARCHAR(128) NOT NULL, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    completed BOOL NOT NULL, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_metrics_dbr_tenant_aggregation_period (dbr_tenant, aggregation_period), 
    INDEX dbr_tenants_agno_metrics_dbr_tenant_date (dbr_tenant, date), 
    INDEX dbr_tenants_agno_metrics_dbr_tenant_user_id (dbr_tenant, user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_traces (
    dbr_tenant VARCHAR(128) NOT NULL, 
    trace_id VARCHAR(128) NOT NULL, 
    name VARCHAR(512) NOT NULL, 
    status VARCHAR(20) NOT NULL, 
    start_time VARCHAR(64) NOT NULL, 
    end_time VARCHAR(64) NOT NULL, 
    duration_ms BIGINT NOT NULL, 
    run_id VARCHAR(128), 
    session_id VARCHAR(128), 
    user_id VARCHAR(128), 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    workflow_id VARCHAR(128), 
    created_at VARCHAR(64) NOT NULL, 
    PRIMARY KEY (dbr_tenant, trace_id), 
    SHARD KEY (dbr_tenant, trace_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_traces_dbr_tenant_agent_id (dbr_tenant, agent_id), 
    INDEX dbr_tenants_agno_traces_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_traces_dbr_tenant_run_id (dbr_tenant, run_id), 
    INDEX dbr_tenants_agno_traces_dbr_tenant_session_id (dbr_tenant, session_id), 
    INDEX dbr_tenants_agno_traces_dbr_tenant_start_time (dbr_tenant, start_time), 
    INDEX dbr_tenants_agno_traces_dbr_tenant_start_time_trace_id (dbr_tenant, start_time, trace_id), 
    INDEX dbr_tenants_agno_traces_dbr_tenant_status (dbr_tenant, status), 
    INDEX dbr_tenants_agno_traces_dbr_tenant_team_id (dbr_tenant, team_id), 
    INDEX dbr_tenants_agno_traces_dbr_tenant_user_id (dbr_tenant, user_id), 
    INDEX dbr_tenants_agno_traces_dbr_tenant_workflow_id (dbr_tenant, workflow_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_spans (
    dbr_tenant VARCHAR(128) NOT NULL, 
    span_id VARCHAR(128) NOT NULL, 
    trace_id VARCHAR(128) NOT NULL, 
    parent_span_id VARCHAR(128), 
    name VARCHAR(512) NOT NULL, 
    span_kind VARCHAR(50) NOT NULL, 
    status_code VARCHAR(20) NOT NULL, 
    status_message LONGTEXT, 
    start_time VARCHAR(64) NOT NULL, 
    end_time VARCHAR(64) NOT NULL, 
    duration_ms BIGINT NOT NULL, 
    attributes JSON, 
    created_at VARCHAR(64) NOT NULL, 
    PRIMARY KEY (dbr_tenant, span_id), 
    SHARD KEY (dbr_tenant, span_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_spans_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_spans_dbr_tenant_parent_span_id (dbr_tenant, parent_span_id), 
    INDEX dbr_tenants_agno_spans_dbr_tenant_start_time (dbr_tenant, start_time), 
    INDEX dbr_tenants_agno_spans_dbr_tenant_trace_id (dbr_tenant, trace_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_approvals (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    run_id VARCHAR(128) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    status VARCHAR(50) NOT NULL, 
    source_type VARCHAR(128) NOT NULL, 
    approval_type VARCHAR(128), 
    pause_type VARCHAR(128) NOT NULL, 
    tool_name VARCHAR(128), 
    tool_args JSON, 
    expires_at BIGINT, 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    workflow_id VARCHAR(128), 
    user_id VARCHAR(128), 
    schedule_id VARCHAR(128), 
    schedule_run_id VARCHAR(128), 
    source_name VARCHAR(255), 
    requirements JSON, 
    context JSON, 
    resolution_data JSON, 
    resolved_by VARCHAR(128), 
    resolved_at BIGINT, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    run_status VARCHAR(50), 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_agent_id (dbr_tenant, agent_id), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_approval_type (dbr_tenant, approval_type), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_pause_type (dbr_tenant, pause_type), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_run_id (dbr_tenant, run_id), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_run_status (dbr_tenant, run_status), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_schedule_id (dbr_tenant, schedule_id), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_schedule_run_id (dbr_tenant, schedule_run_id), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_session_id (dbr_tenant, session_id), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_source_type (dbr_tenant, source_type), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_status (dbr_tenant, status), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_team_id (dbr_tenant, team_id), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_user_id (dbr_tenant, user_id), 
    INDEX dbr_tenants_agno_approvals_dbr_tenant_workflow_id (dbr_tenant, workflow_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_schedules (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    name VARCHAR(255) NOT NULL, 
    description LONGTEXT, 
    method VARCHAR(128) NOT NULL, 
    endpoint VARCHAR(2000) NOT NULL, 
    payload JSON, 
    cron_expr VARCHAR(255) NOT NULL, 
    timezone VARCHAR(128) NOT NULL, 
    timeout_seconds BIGINT NOT NULL, 
    max_retries BIGINT NOT NULL, 
    retry_delay_seconds BIGINT NOT NULL, 
    enabled BOOL NOT NULL, 
    next_run_at BIGINT, 
    locked_by VARCHAR(128), 
    locked_at BIGINT, 
    user_id VARCHAR(128), 
    managed_by VARCHAR(128), 
    target_type VARCHAR(128), 
    target_id VARCHAR(128), 
    created_by_run_id VARCHAR(128), 
    created_by_session_id VARCHAR(128), 
    updated_by_run_id VARCHAR(128), 
    updated_by_session_id VARCHAR(128), 
    disabled_reason VARCHAR(1000), 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_schedules_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_schedules_dbr_tenant_enabled_next_run_at (dbr_tenant, enabled, next_run_at), 
    INDEX dbr_tenants_agno_schedules_dbr_tenant_managed_by (dbr_tenant, managed_by), 
    INDEX dbr_tenants_agno_schedules_dbr_tenant_name (dbr_tenant, name), 
    INDEX dbr_tenants_agno_schedules_dbr_tenant_next_run_at (dbr_tenant, next_run_at), 
    INDEX dbr_tenants_agno_schedules_dbr_tenant_target_id (dbr_tenant, target_id), 
    INDEX dbr_tenants_agno_schedules_dbr_tenant_user_id (dbr_tenant, user_id), 
    INDEX dbr_tenants_agno_schedules_dbr_tenant_user_id_enab_a1252f26912d (dbr_tenant, user_id, enabled, next_run_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_schedule_runs (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    schedule_id VARCHAR(128) NOT NULL, 
    attempt BIGINT NOT NULL, 
    triggered_at BIGINT, 
    completed_at BIGINT, 
    status VARCHAR(50) NOT NULL, 
    status_code BIGINT, 
    run_id VARCHAR(128), 
    session_id VARCHAR(128), 
    error LONGTEXT, 
    input JSON, 
    output JSON, 
    requirements JSON, 
    user_id VARCHAR(128), 
    created_at BIGINT NOT NULL, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_schedule_runs_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_schedule_runs_dbr_tenant_schedule_ee40f5eb8c52 (dbr_tenant, schedule_id, created_at), 
    INDEX dbr_tenants_agno_schedule_runs_dbr_tenant_schedule_id (dbr_tenant, schedule_id), 
    INDEX dbr_tenants_agno_schedule_runs_dbr_tenant_status (dbr_tenant, status), 
    INDEX dbr_tenants_agno_schedule_runs_dbr_tenant_user_id (dbr_tenant, user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_learnings (
    dbr_tenant VARCHAR(128) NOT NULL, 
    learning_id VARCHAR(128) NOT NULL, 
    learning_type VARCHAR(128) NOT NULL, 
    namespace VARCHAR(128), 
    user_id VARCHAR(128), 
    agent_id VARCHAR(128), 
    team_id VARCHAR(128), 
    workflow_id VARCHAR(128), 
    session_id VARCHAR(128), 
    entity_id VARCHAR(128), 
    entity_type VARCHAR(128), 
    content JSON NOT NULL, 
    metadata JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (dbr_tenant, learning_id), 
    SHARD KEY (dbr_tenant, learning_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_learnings_dbr_tenant_agent_id (dbr_tenant, agent_id), 
    INDEX dbr_tenants_agno_learnings_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_learnings_dbr_tenant_entity_id (dbr_tenant, entity_id), 
    INDEX dbr_tenants_agno_learnings_dbr_tenant_entity_type (dbr_tenant, entity_type), 
    INDEX dbr_tenants_agno_learnings_dbr_tenant_learning_type (dbr_tenant, learning_type), 
    INDEX dbr_tenants_agno_learnings_dbr_tenant_namespace (dbr_tenant, namespace), 
    INDEX dbr_tenants_agno_learnings_dbr_tenant_session_id (dbr_tenant, session_id), 
    INDEX dbr_tenants_agno_learnings_dbr_tenant_team_id (dbr_tenant, team_id), 
    INDEX dbr_tenants_agno_learnings_dbr_tenant_updated_at (dbr_tenant, updated_at), 
    INDEX dbr_tenants_agno_learnings_dbr_tenant_user_id (dbr_tenant, user_id), 
    INDEX dbr_tenants_agno_learnings_dbr_tenant_workflow_id (dbr_tenant, workflow_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_components (
    dbr_tenant VARCHAR(128) NOT NULL, 
    component_id VARCHAR(128) NOT NULL, 
    component_type VARCHAR(128) NOT NULL, 
    name VARCHAR(255), 
    user_id VARCHAR(128), 
    description LONGTEXT, 
    current_version BIGINT, 
    metadata JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    deleted_at BIGINT, 
    PRIMARY KEY (dbr_tenant, component_id), 
    SHARD KEY (dbr_tenant, component_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_components_dbr_tenant_component_type (dbr_tenant, component_type), 
    INDEX dbr_tenants_agno_components_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_components_dbr_tenant_current_version (dbr_tenant, current_version), 
    INDEX dbr_tenants_agno_components_dbr_tenant_name (dbr_tenant, name), 
    INDEX dbr_tenants_agno_components_dbr_tenant_user_id (dbr_tenant, user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_component_configs (
    dbr_tenant VARCHAR(128) NOT NULL, 
    component_id VARCHAR(128) NOT NULL, 
    version BIGINT NOT NULL, 
    label VARCHAR(128), 
    stage VARCHAR(128) NOT NULL, 
    config JSON NOT NULL, 
    notes LONGTEXT, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    deleted_at BIGINT, 
    PRIMARY KEY (dbr_tenant, component_id, version), 
    SHARD KEY (dbr_tenant, component_id, version), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_component_configs_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_component_configs_dbr_tenant_stage (dbr_tenant, stage)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_component_links (
    dbr_tenant VARCHAR(128) NOT NULL, 
    parent_component_id VARCHAR(128) NOT NULL, 
    parent_version BIGINT NOT NULL, 
    link_kind VARCHAR(128) NOT NULL, 
    link_key VARCHAR(255) NOT NULL, 
    child_component_id VARCHAR(128) NOT NULL, 
    child_version BIGINT, 
    position BIGINT NOT NULL, 
    meta JSON, 
    created_at BIGINT, 
    updated_at BIGINT, 
    PRIMARY KEY (dbr_tenant, parent_component_id, parent_version, link_kind, link_key), 
    SHARD KEY (dbr_tenant, parent_component_id, parent_version, link_kind, link_key), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_component_links_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_component_links_dbr_tenant_link_kind (dbr_tenant, link_kind)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_company_products (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    name VARCHAR(255), 
    purpose LONGTEXT, 
    user_id VARCHAR(128), 
    metadata JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    deleted_at BIGINT, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_company_products_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_company_products_dbr_tenant_name (dbr_tenant, name), 
    INDEX dbr_tenants_agno_company_products_dbr_tenant_user_id (dbr_tenant, user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_company_sources (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    product_id VARCHAR(128) NOT NULL, 
    reference LONGTEXT NOT NULL, 
    type VARCHAR(50) NOT NULL, 
    credential_ref VARCHAR(1000), 
    user_id VARCHAR(128), 
    config JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    deleted_at BIGINT, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_company_sources_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_company_sources_dbr_tenant_product_id (dbr_tenant, product_id), 
    INDEX dbr_tenants_agno_company_sources_dbr_tenant_user_id (dbr_tenant, user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_company_projects (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    name VARCHAR(255), 
    outcome LONGTEXT, 
    user_id VARCHAR(128), 
    transitions JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    deleted_at BIGINT, 
    product_id VARCHAR(128) NOT NULL, 
    status VARCHAR(50) NOT NULL, 
    target_date BIGINT, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_company_projects_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_company_projects_dbr_tenant_name (dbr_tenant, name), 
    INDEX dbr_tenants_agno_company_projects_dbr_tenant_product_id (dbr_tenant, product_id), 
    INDEX dbr_tenants_agno_company_projects_dbr_tenant_status (dbr_tenant, status), 
    INDEX dbr_tenants_agno_company_projects_dbr_tenant_user_id (dbr_tenant, user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_company_tasks (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    product_id VARCHAR(128) NOT NULL, 
    project_id VARCHAR(128), 
    title VARCHAR(255), 
    brief LONGTEXT, 
    status VARCHAR(50) NOT NULL, 
    user_id VARCHAR(128), 
    executor_type VARCHAR(128), 
    executor_id VARCHAR(128), 
    accepted_by VARCHAR(128), 
    accepted_at BIGINT, 
    session_id VARCHAR(128), 
    job_id VARCHAR(128), 
    evidence JSON, 
    result JSON, 
    origin VARCHAR(128), 
    routine_id VARCHAR(128), 
    dedupe_key VARCHAR(255), 
    transitions JSON, 
    metadata JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    deleted_at BIGINT, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_company_tasks_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_company_tasks_dbr_tenant_job_id (dbr_tenant, job_id), 
    INDEX dbr_tenants_agno_company_tasks_dbr_tenant_product_id (dbr_tenant, product_id), 
    INDEX dbr_tenants_agno_company_tasks_dbr_tenant_project_id (dbr_tenant, project_id), 
    INDEX dbr_tenants_agno_company_tasks_dbr_tenant_session_id (dbr_tenant, session_id), 
    INDEX dbr_tenants_agno_company_tasks_dbr_tenant_status (dbr_tenant, status), 
    INDEX dbr_tenants_agno_company_tasks_dbr_tenant_title (dbr_tenant, title), 
    INDEX dbr_tenants_agno_company_tasks_dbr_tenant_user_id (dbr_tenant, user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_jobs (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    component_type VARCHAR(128) NOT NULL, 
    job_type VARCHAR(128) NOT NULL, 
    deployment_id VARCHAR(128), 
    component_id VARCHAR(128) NOT NULL, 
    session_id VARCHAR(128) NOT NULL, 
    user_id VARCHAR(128), 
    payload JSON NOT NULL, 
    status VARCHAR(50) NOT NULL, 
    attempt BIGINT NOT NULL, 
    max_attempts BIGINT NOT NULL, 
    idempotency_key VARCHAR(255), 
    available_at BIGINT NOT NULL, 
    locked_by VARCHAR(128), 
    locked_at BIGINT, 
    error LONGTEXT, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    completed_at BIGINT, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_jobs_dbr_tenant_component_id (dbr_tenant, component_id), 
    INDEX dbr_tenants_agno_jobs_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_jobs_dbr_tenant_session_id (dbr_tenant, session_id), 
    INDEX dbr_tenants_agno_jobs_dbr_tenant_status (dbr_tenant, status), 
    INDEX dbr_tenants_agno_jobs_dbr_tenant_status_available_at (dbr_tenant, status, available_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_auth_tokens (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    provider VARCHAR(128) NOT NULL, 
    user_id VARCHAR(128) NOT NULL, 
    service VARCHAR(128) NOT NULL, 
    token_data JSON NOT NULL, 
    granted_scopes JSON, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_auth_tokens_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_auth_tokens_dbr_tenant_provider (dbr_tenant, provider), 
    INDEX dbr_tenants_agno_auth_tokens_dbr_tenant_service (dbr_tenant, service), 
    INDEX dbr_tenants_agno_auth_tokens_dbr_tenant_user_id (dbr_tenant, user_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_service_accounts (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    name VARCHAR(255) NOT NULL, 
    user_id VARCHAR(128), 
    token_hash VARCHAR(128) NOT NULL, 
    token_prefix VARCHAR(128) NOT NULL, 
    scopes JSON NOT NULL, 
    created_at BIGINT NOT NULL, 
    expires_at BIGINT, 
    last_used_at BIGINT, 
    revoked_at BIGINT, 
    created_by VARCHAR(128), 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_service_accounts_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_service_accounts_dbr_tenant_token_hash (dbr_tenant, token_hash)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_mcp_oauth_clients (
    dbr_tenant VARCHAR(128) NOT NULL, 
    client_id VARCHAR(128) NOT NULL, 
    client_metadata LONGTEXT NOT NULL, 
    created_at BIGINT NOT NULL, 
    consumed_at BIGINT, 
    PRIMARY KEY (dbr_tenant, client_id), 
    SHARD KEY (dbr_tenant, client_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_mcp_oauth_clients_dbr_tenant_created_at (dbr_tenant, created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_mcp_oauth_transactions (
    dbr_tenant VARCHAR(128) NOT NULL, 
    txn_id VARCHAR(128) NOT NULL, 
    client_id VARCHAR(128) NOT NULL, 
    params LONGTEXT NOT NULL, 
    expires_at BIGINT NOT NULL, 
    PRIMARY KEY (dbr_tenant, txn_id), 
    SHARD KEY (dbr_tenant, txn_id), 
    INDEX dbr_tenants_agno_mcp_oauth_transactions_dbr_tenant_expires_at (dbr_tenant, expires_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_mcp_oauth_codes (
    dbr_tenant VARCHAR(128) NOT NULL, 
    code_hash VARCHAR(128) NOT NULL, 
    payload LONGTEXT NOT NULL, 
    expires_at BIGINT NOT NULL, 
    PRIMARY KEY (dbr_tenant, code_hash), 
    SHARD KEY (dbr_tenant, code_hash), 
    INDEX dbr_tenants_agno_mcp_oauth_codes_dbr_tenant_expires_at (dbr_tenant, expires_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_mcp_oauth_refresh_tokens (
    dbr_tenant VARCHAR(128) NOT NULL, 
    token_hash VARCHAR(128) NOT NULL, 
    client_id VARCHAR(128) NOT NULL, 
    scopes LONGTEXT NOT NULL, 
    expires_at BIGINT NOT NULL, 
    family_id VARCHAR(128) NOT NULL, 
    PRIMARY KEY (dbr_tenant, token_hash), 
    SHARD KEY (dbr_tenant, token_hash), 
    INDEX dbr_tenants_agno_mcp_oauth_refresh_tokens_dbr_tenant_expires_at (dbr_tenant, expires_at), 
    INDEX dbr_tenants_agno_mcp_oauth_refresh_tokens_dbr_tenant_family_id (dbr_tenant, family_id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_mcp_oauth_keys (
    dbr_tenant VARCHAR(128) NOT NULL, 
    kid VARCHAR(128) NOT NULL, 
    secret LONGTEXT NOT NULL, 
    created_at BIGINT NOT NULL, 
    PRIMARY KEY (dbr_tenant, kid), 
    SHARD KEY (dbr_tenant, kid), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_mcp_oauth_keys_dbr_tenant_created_at (dbr_tenant, created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_authz_policy (
    dbr_tenant VARCHAR(128) NOT NULL, 
    `role` VARCHAR(128) NOT NULL, 
    resource VARCHAR(255) NOT NULL, 
    action VARCHAR(128) NOT NULL, 
    effect VARCHAR(128) NOT NULL, 
    PRIMARY KEY (dbr_tenant, `role`, resource, action), 
    SHARD KEY (dbr_tenant, `role`, resource, action)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_authz_grouping (
    dbr_tenant VARCHAR(128) NOT NULL, 
    subject VARCHAR(128) NOT NULL, 
    `role` VARCHAR(128) NOT NULL, 
    PRIMARY KEY (dbr_tenant, subject, `role`), 
    SHARD KEY (dbr_tenant, subject, `role`), 
    INDEX dbr_tenants_agno_authz_grouping_dbr_tenant_role (dbr_tenant, `role`)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_authz_roles (
    dbr_tenant VARCHAR(128) NOT NULL, 
    slug VARCHAR(128) NOT NULL, 
    name VARCHAR(255), 
    description LONGTEXT, 
    is_default BOOL NOT NULL, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT NOT NULL, 
    PRIMARY KEY (dbr_tenant, slug), 
    SHARD KEY (dbr_tenant, slug), 
    SORT KEY (created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_authz_users (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    email VARCHAR(320), 
    name VARCHAR(255), 
    disabled BOOL NOT NULL, 
    created_at BIGINT NOT NULL, 
    updated_at BIGINT NOT NULL, 
    user_metadata LONGTEXT, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_authz_users_dbr_tenant_created_at (dbr_tenant, created_at), 
    INDEX dbr_tenants_agno_authz_users_dbr_tenant_updated_at (dbr_tenant, updated_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_authz_audit (
    dbr_tenant VARCHAR(128) NOT NULL, 
    event_id VARCHAR(128) NOT NULL, 
    created_at BIGINT NOT NULL, 
    actor VARCHAR(128), 
    action VARCHAR(128) NOT NULL, 
    target VARCHAR(1000), 
    `before` LONGTEXT, 
    after LONGTEXT, 
    PRIMARY KEY (dbr_tenant, event_id), 
    SHARD KEY (dbr_tenant, event_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_authz_audit_dbr_tenant_created_at (dbr_tenant, created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_agno_authz_decisions (
    dbr_tenant VARCHAR(128) NOT NULL, 
    event_id VARCHAR(128) NOT NULL, 
    created_at BIGINT NOT NULL, 
    actor VARCHAR(128), 
    action VARCHAR(128) NOT NULL, 
    target LONGTEXT, 
    token_ref VARCHAR(128), 
    required LONGTEXT, 
    scopes LONGTEXT, 
    PRIMARY KEY (dbr_tenant, event_id), 
    SHARD KEY (dbr_tenant, event_id), 
    SORT KEY (created_at), 
    INDEX dbr_tenants_agno_authz_decisions_dbr_tenant_created_at (dbr_tenant, created_at)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_dbrouter_components_turns (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    turns BIGINT NOT NULL, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_dbrouter_company_turns (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    turns BIGINT NOT NULL, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.tenants_dbrouter_authz_turns (
    dbr_tenant VARCHAR(128) NOT NULL, 
    id VARCHAR(128) NOT NULL, 
    turns BIGINT NOT NULL, 
    PRIMARY KEY (dbr_tenant, id), 
    SHARD KEY (dbr_tenant, id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.dbrouter_tenants (
    name VARCHAR(255) NOT NULL, 
    spec JSON NOT NULL, 
    suspended BOOL NOT NULL, 
    updated_at BIGINT NOT NULL, 
    PRIMARY KEY (name), 
    SHARD KEY (name)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.dbrouter_tenants_turns (
    id VARCHAR(128) NOT NULL, 
    turns BIGINT NOT NULL, 
    PRIMARY KEY (id), 
    SHARD KEY (id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.dbrouter_usage (
    id VARCHAR(500) NOT NULL, 
    bucket JSON NOT NULL, 
    PRIMARY KEY (id), 
    SHARD KEY (id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.dbrouter_reservations (
    id VARCHAR(700) NOT NULL, 
    holder LONGTEXT NOT NULL, 
    confirmed BOOL NOT NULL, 
    PRIMARY KEY (id), 
    SHARD KEY (id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS ai.dbrouter_positions (
    id VARCHAR(700) NOT NULL, 
    counters JSON NOT NULL, 
    PRIMARY KEY (id), 
    SHARD KEY (id)
)CHARSET=utf8mb4 COLLATE utf8mb4_bin;
