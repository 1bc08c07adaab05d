"""Settings of a Salesforce connection. Secrets are not among them; they come by name: consumer_secret or private_key."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

_HOST_END = re.compile(r"\.salesforce\.com$", re.IGNORECASE)
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")

_SOAP = (
    "Username, password and security token (SOAP login) are not supported: Salesforce retires that login. "
    "Set up an External Client App with the client credentials flow or the JWT bearer flow, and give its consumer_key."
)


def _crm_name(value: object) -> object:
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        message = "must be the API name of one field, for example Seats__c"
        raise ValueError(message)
    return value


def _words(value: object) -> object:
    """A command line gives a list as one text with commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


FieldName = Annotated[str | None, BeforeValidator(_crm_name)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]


class SalesforceConfig(BaseModel):
    """How to reach the org, and which of its fields hold what Undertone reads. An empty field name means: there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    domain: str
    """My Domain, for example acme.my (of acme.my.salesforce.com)."""
    consumer_key: str = Field(min_length=1)
    auth: Literal["client_credentials", "jwt"] = "client_credentials"
    username: str | None = None
    """JWT only: the user that Undertone acts as."""
    audience: Literal["login", "test"] | None = None
    """JWT only: test for a sandbox org; if not given, by the domain."""
    api_version: str = Field(default="64.0", pattern=r"^[1-9]\d\.0$")
    endpoint: str | None = None
    """A loopback address that stands in for Salesforce, for demos and tests: http://127.0.0.1:8200."""
    api_share: float = Field(default=0.8, gt=0, le=1)
    """Reading waits once this share of the org's daily API requests is used, whoever used them."""

    seats_field: FieldName = "Seats__c"
    arr_field: FieldName = "ARR__c"
    region_field: FieldName = "BillingCountryCode"
    timezone_field: FieldName = None
    renewal_date_field: FieldName = None
    """A date on Account, for orgs that keep renewal dates there and not on opportunities."""
    opportunity_type_field: FieldName = "Type"
    renewal_types: Words = ("Renewal",)
    """The opportunity types that mean a renewal."""
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    """Of amounts, in an org with a single currency."""
    our_domains: Words = ()
    """Mail domains of our own people beside those of the org's users."""

    key_field: FieldName = "Undertone_Key__c"
    feedback_field: FieldName = "Undertone_Feedback__c"
    fallback_owner: str | None = Field(default=None, pattern=r"^(005|00G)[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$")
    """The user or queue that gets a task when its owner and their manager are inactive."""

    @model_validator(mode="before")
    @classmethod
    def _no_soap(cls, given: object) -> object:
        if isinstance(given, dict) and {"password", "security_token"} & given.keys():
            raise ValueError(_SOAP)
        return given

    @field_validator("domain")
    @classmethod
    def _bare(cls, value: str) -> str:
        host = (urlsplit(value).hostname or "") if "//" in value else value.strip().rstrip("/").lower()
        bare = _HOST_END.sub("", host)
        if not _DOMAIN.fullmatch(bare):
            message = "must be the org's My Domain, for example acme.my or https://acme.my.salesforce.com"
            raise ValueError(message)
        if bare in ("login", "test"):
            message = "must be the org's own My Domain; login and test are shared by all orgs"
            raise ValueError(message)
        return bare

    @field_validator("endpoint")
    @classmethod
    def _loopback(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme != "http" or not parts.port or not _is_loopback(parts.hostname or "") or parts.path.strip("/"):
            message = "must be http:// on a loopback address with a port, for example http://127.0.0.1:8200"
            raise ValueError(message)
        return f"http://{parts.netloc.rpartition('@')[2]}"

    @model_validator(mode="after")
    def _jwt_has_a_user(self) -> Self:
        if self.auth == "jwt" and not self.username:
            message = "auth=jwt needs username: the Salesforce user that Undertone acts as"
            raise ValueError(message)
        return self

    @property
    def token_audience(self) -> str:
        return self.audience or ("test" if ".sandbox" in self.domain else "login")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
