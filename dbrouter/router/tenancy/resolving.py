"""Whose call an op is: all sources that the rules name are asked, and those that answer must agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from dbrouter.backends.kernel.errors import PolicyError, TenantConflict, TenantLocked
from dbrouter.backends.kernel.ops import Batch, Insert, Op, Upsert
from dbrouter.backends.kernel.tables import TableSpec
from dbrouter.router.placing import component_of
from dbrouter.router.routes import Component
from dbrouter.router.tenancy.binding import ALL, Binding, Bound, Claimed, Whose, checked_name, current
from dbrouter.router.tenancy.op_values import described, values_of
from dbrouter.router.tenancy.patterns import Pattern
from dbrouter.router.tenancy.request import Request, refused
from dbrouter.router.tenancy.request_sources import RequestSources
from dbrouter.router.tenancy.tenants import Source, TenancyRules
from dbrouter.router.tenancy.tracing import TRACES, traces_say

_MAY_HOLD_SPANS = (Upsert, Insert, Batch)
_WITHIN_OPS = frozenset({Source.USER_ID, Source.COMPONENT})

Answer = tuple[str, Whose]
"""Who says it, in words, and what."""


class Resolver:
    """Finds the tenant of each op by one set of rules. Reads the op and the context, and sends nothing."""

    def __init__(self, rules: TenancyRules) -> None:
        self.rules = rules
        self._listed = frozenset(rules.resolve)
        self._reads_ops = bool(self._listed & _WITHIN_OPS)
        self._only_context = Source.CONTEXT in self._listed and not self._reads_ops
        self._only_binding = not self._reads_ops and Source.BINDING in self._listed
        self._users = Pattern.of(rules.user_id) if rules.user_id and Source.USER_ID in self._listed else None
        self._requests = RequestSources(rules)

    def tenant_of(self, op: Op[Any], *, bound: Whose | None = None, component: Component | None = None) -> Whose | None:
        """Whose the op is; `None` if nothing says so.

        bound: the tenant of the view that is asked; component: its component. `TenantConflict` if two sources say
        different tenants, `TenantLocked` if the request is another tenant's already, or if ALL is asked for in one.
        """
        try:
            whose = self._tenant_of(op, bound, component)
        except PolicyError as error:
            refused(error)
            raise
        if isinstance(whose, str):
            TRACES.found(whose)
        return whose

    def _tenant_of(self, op: Op[Any], bound: Whose | None, component: Component | None) -> Whose | None:
        binding = current()
        if bound is None and isinstance(binding, Bound) and self._only_context and not isinstance(op, _MAY_HOLD_SPANS):
            # The short way: nobody else can answer.
            return binding.whose
        if bound is not None and binding is None and self._only_binding and not isinstance(op, _MAY_HOLD_SPANS):
            return bound
        request = binding if isinstance(binding, Request) else None
        if request is not None and bound is ALL:
            raise TenantLocked("a request is under way: it cannot use a db for ALL tenants")
        answer = self._agreed(
            [*self._answers(op, binding, bound, component)], [*_unlisted(self._listed, binding, bound)]
        )
        if request is None:
            return answer
        if answer is None:
            # Found by an earlier call of this request.
            return request.tenant
        request.hold(answer)
        return answer

    def _answers(
        self, op: Op[Any], binding: Binding | None, bound: Whose | None, component: Component | None
    ) -> Iterator[Answer]:
        if bound is not None and Source.BINDING in self._listed:
            yield "the db (for_tenant)", bound
        match binding:
            case None:
                pass
            case Bound(whose=whose):
                if Source.CONTEXT in self._listed:
                    yield "the context", whose
            case Claimed():
                # Set by the claim itself, not by a user: it answers whatever the rules list.
                claimed = _claimed(op, binding)
                if claimed is not None:
                    yield "the claimed schedule", claimed
            case _:
                if binding.tenant is not None:
                    # Every source that the request has answered with is its lock by now.
                    yield "the request so far", binding.tenant
                yield from self._requests.answers(binding)
        yield from traces_say(cast("Any", op))
        if not self._reads_ops or bound is ALL or (isinstance(binding, Bound) and binding.whose is ALL):
            # An operator asks about whom they like.
            return
        if self._users is not None:
            for value in values_of(cast("Any", op), _owner):
                named = self._users.tenant_in(value) if isinstance(value, str) else None
                if named is not None:
                    yield "the user id", checked_name(named)
        if Source.COMPONENT in self._listed:
            yield from self._components(op, component)

    def _components(self, op: Op[Any], component: Component | None) -> Iterator[Answer]:
        named = [component_of(spec, values) for spec, values in described(cast("Any", op))]
        for each in dict.fromkeys((*named, component)):
            whose = None if each is None else self.rules.components.get(each)
            if whose is not None:
                yield f"the {each}", whose

    def _agreed(self, answers: list[Answer], unlisted: list[Answer]) -> Whose | None:
        if not answers:
            return None
        source, whose = answers[0]
        for other, said in (*answers[1:], *unlisted):
            if said != whose:
                made = TenantLocked if "the request so far" in {source, other} else TenantConflict
                error = made(f"{source} and {other} name different tenants for one call")
                # Beside the message, which AgentOS may show to a client: no tenant is told another's name.
                error.add_note(f"{source}: {whose!r}; {other}: {said!r}")
                raise error
        return whose


def _unlisted(listed: frozenset[Source], binding: Binding | None, bound: Whose | None) -> Iterator[Answer]:
    """What code has bound although the rules do not let it decide: it may still not be contradicted."""
    if bound is not None and Source.BINDING not in listed:
        yield "the db (for_tenant)", bound
    if isinstance(binding, Bound) and Source.CONTEXT not in listed:
        yield "the context", binding.whose


def _claimed(op: Op[Any], binding: Claimed) -> str | None:
    if not binding.is_claimers:
        return binding.whose
    for spec, values in described(cast("Any", op)):
        schedule = (
            values.get("id" if spec.name == "schedules" else "schedule_id") if spec.family == "schedules" else None
        )
        if schedule is not None and (whose := binding.schedules.get(schedule)) is not None:
            return whose
    return None


def _owner(spec: TableSpec) -> str | None:
    return spec.owner
