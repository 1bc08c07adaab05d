from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ml.text import MAX_CHARS
from service import read as reading
from service.api.access import Reader
from service.api.pages import GivenId, answer
from service.api.problems import documented
from service.read import EMAIL, LONGEST_CHANNEL, Message

MOST = 100

router = APIRouter(prefix="/v1/read", tags=["read"], responses=documented(400, 401, 403, 413, 422, 503))


class MessageIn(BaseModel):
    """`channel` email: own text is taken out first; any other: read as it is. What our side wrote (`from_contact` false) is not read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: GivenId
    text: Annotated[str, StringConstraints(max_length=MAX_CHARS)]
    channel: Annotated[str, StringConstraints(max_length=LONGEST_CHANNEL)] = EMAIL
    from_contact: bool = True


class MessagesIn(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    messages: Annotated[list[MessageIn], Field(min_length=1, max_length=MOST)]


class Answers(BaseModel):
    items: list[reading.Answer]


@router.post("", response_model=Answers)
def read_messages(_caller: Reader, given: MessagesIn) -> Response:
    """What each message says, in the order given. Nothing is stored. `start` and `end` are offsets into the text as it was given."""
    found = reading.read([Message(**m.model_dump()) for m in given.messages])
    return answer({"items": [asdict(a) for a in found]})
