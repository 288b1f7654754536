"""The families: what the interface means, written once, one program per group of agno's methods."""

from __future__ import annotations

from dbrouter.router.families.approvals import Approvals
from dbrouter.router.families.auth_tokens import AuthTokens
from dbrouter.router.families.authz_audit import AuthzAudit
from dbrouter.router.families.authz_policies import AuthzPolicies
from dbrouter.router.families.authz_roles import AuthzRoles
from dbrouter.router.families.authz_users import AuthzUsers
from dbrouter.router.families.compactions import Compactions
from dbrouter.router.families.component_configs import ComponentConfigs
from dbrouter.router.families.component_links import ComponentLinks
from dbrouter.router.families.components import Components
from dbrouter.router.families.evals import Evals
from dbrouter.router.families.job_changes import JobChanges
from dbrouter.router.families.job_claims import JobClaims
from dbrouter.router.families.jobs import Jobs
from dbrouter.router.families.knowledge import Knowledge
from dbrouter.router.families.learnings import Learnings
from dbrouter.router.families.mcp_oauth import McpOauth
from dbrouter.router.families.memories import Memories
from dbrouter.router.families.metrics import Metrics
from dbrouter.router.families.products import Products
from dbrouter.router.families.projects import Projects
from dbrouter.router.families.run_fencing import RunFencing
from dbrouter.router.families.runs import Runs
from dbrouter.router.families.schedule_runs import ScheduleRuns
from dbrouter.router.families.schedules import Schedules
from dbrouter.router.families.schema_versions import SchemaVersions
from dbrouter.router.families.service_accounts import ServiceAccounts
from dbrouter.router.families.sessions import Sessions
from dbrouter.router.families.sources import Sources
from dbrouter.router.families.spans import Spans
from dbrouter.router.families.tasks import Tasks
from dbrouter.router.families.tool_results import ToolResults
from dbrouter.router.families.traces import Traces
from dbrouter.router.families.transcripts import Transcripts

FAMILY_CLASSES: dict[str, tuple[type, ...]] = {
    "schema_versions": (SchemaVersions,),
    "sessions": (Sessions, Runs, RunFencing, ToolResults, Compactions, Transcripts),
    "memories": (Memories,),
    "knowledge": (Knowledge,),
    "evals": (Evals,),
    "metrics": (Metrics,),
    "traces": (Traces, Spans),
    "approvals": (Approvals,),
    "schedules": (Schedules, ScheduleRuns),
    "learnings": (Learnings,),
    "components": (Components, ComponentConfigs, ComponentLinks),
    "company": (Products, Sources, Projects, Tasks),
    "auth_tokens": (AuthTokens,),
    "service_accounts": (ServiceAccounts,),
    "authz": (AuthzPolicies, AuthzRoles, AuthzUsers, AuthzAudit),
    "mcp_oauth": (McpOauth,),
    "jobs": (Jobs, JobClaims, JobChanges),
}
"""Family -> the classes whose public methods are its interface. The faces are generated from this."""
