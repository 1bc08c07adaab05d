"""Who may call: a bearer key with the scope that the route asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service import keys, limits
from service.config import real_time
from service.errors import Refused
from service.keys import Caller, Scope

_bearer = HTTPBearer(auto_error=False, description="An API key: `undertone key create --role analyst`")


def caller_with(scope: Scope) -> Callable[..., Caller]:
    """A dependency. The OpenAPI document names `scope` beside each operation that has it."""

    # As a default and not in the annotation, which is a text here and knows no `scope`.
    def authorised(request: Request, credentials: HTTPAuthorizationCredentials | None = Security(_bearer, scopes=[scope])) -> Caller:  # noqa: B008
        at = real_time()
        caller = keys.authenticate(credentials.credentials if credentials else "", at)
        _count(request, caller, at)
        if scope not in caller.scopes:
            message = f"This key lacks the scope {scope}. Make one with `undertone key create --scope {scope}`."
            raise Refused(message)
        return caller

    return authorised


def _count(request: Request, caller: Caller, at: datetime) -> None:
    """Also calls that are refused for their scope: a script that runs wild should meet its end there, too."""
    bucket = limits.take(f"{caller.workspace_id}:{caller.prefix}", limits.configured(), at)
    request.state.limit_headers = bucket.headers()  # set on every answer by the boundary
    if not bucket.granted:
        raise limits.refusal(bucket)


Reader = Annotated[Caller, Depends(caller_with("read"))]
Pusher = Annotated[Caller, Depends(caller_with("push"))]
Reviewer = Annotated[Caller, Depends(caller_with("feedback"))]
Configurer = Annotated[Caller, Depends(caller_with("configure"))]
