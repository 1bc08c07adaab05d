"""Who may call: a bearer key with the scope that the route asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service import keys
from service.config import real_time
from service.errors import Refused
from service.keys import Caller, Scope

_bearer = HTTPBearer(auto_error=False, description="An API key: `undertone key create --role analyst`")


def caller_with(scope: Scope) -> Callable[..., Caller]:
    """A dependency. The OpenAPI document names `scope` beside each operation that has it."""

    # As a default and not in the annotation, which is a text here and knows no `scope`.
    def authorised(credentials: HTTPAuthorizationCredentials | None = Security(_bearer, scopes=[scope])) -> Caller:  # noqa: B008
        caller = keys.authenticate(credentials.credentials if credentials else "", real_time())
        if scope not in caller.scopes:
            message = f"This key lacks the scope {scope}. Make one with `undertone key create --scope {scope}`."
            raise Refused(message)
        return caller

    return authorised


Reader = Annotated[Caller, Depends(caller_with("read"))]
Pusher = Annotated[Caller, Depends(caller_with("push"))]
Reviewer = Annotated[Caller, Depends(caller_with("feedback"))]
