"""Every family's program over one store."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from dbrouter.router.families.context import Context


class Programs:
    """The programs, each by its name. The faces call them; which of them can be reached is the face's business."""

    def __init__(self, context: Context) -> None:
        self.schema_versions = SchemaVersions(context)
        self.sessions = Sessions(context)
        self.runs = Runs(context)
        self.memories = Memories(context)
        self.knowledge = Knowledge(context)
        self.evals = Evals(context)
        self.metrics = Metrics(context)
        self.traces = Traces(context)
        self.spans = Spans(context)
        self.approvals = Approvals(context)
        self.schedules = Schedules(context)
        self.schedule_runs = ScheduleRuns(context)
        self.learnings = Learnings(context)
        self.tool_results = ToolResults(context)
        self.compactions = Compactions(context)
        self.transcripts = Transcripts(context)
        self.components = Components(context)
        self.component_configs = ComponentConfigs(context)
        self.component_links = ComponentLinks(context)
        self.products = Products(context)
        self.sources = Sources(context)
        self.projects = Projects(context)
        self.tasks = Tasks(context)
        self.auth_tokens = AuthTokens(context)
        self.service_accounts = ServiceAccounts(context)
        self.authz_policies = AuthzPolicies(context)
        self.authz_roles = AuthzRoles(context)
        self.authz_users = AuthzUsers(context)
        self.authz_audit = AuthzAudit(context)
        self.mcp_oauth = McpOauth(context)
        self.run_fencing = RunFencing(context)
        self.jobs = Jobs(context)
        self.job_claims = JobClaims(context)
        self.job_changes = JobChanges(context)
