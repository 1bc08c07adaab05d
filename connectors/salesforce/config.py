"""Settings of a Salesforce connection. Secrets are not among them; they come by name: consumer_secret, private_key, refresh_token,
or password and security_token."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

_HOST_END = re.compile(r"\.salesforce\.com$", re.IGNORECASE)
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)*")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")

LAST_SOAP_VERSION = 64
"""Salesforce's SOAP login does not exist above it."""

_AMONG_SETTINGS = (
    "password and security_token are secrets: give them with --secret and not as settings, together with auth=soap and username. "
    "Salesforce retires that login; an External Client App with the client credentials flow or the JWT bearer flow does without a password."
)
_SOAP_VERSION = (
    f"auth=soap needs api_version {LAST_SOAP_VERSION}.0 or lower: Salesforce's SOAP login does not exist in API {LAST_SOAP_VERSION + 1}.0 and above. "
    "Set a lower api_version, or use an External Client App (auth=client_credentials or jwt) and keep the version."
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
RenewalSource = Literal["opportunity", "account", "contract"]


class SalesforceConfig(BaseModel):
    """How to reach the org, and which of its fields hold what Undertone reads. An empty field name means: there is none."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    domain: str
    """My Domain, for example acme.my (of acme.my.salesforce.com)."""
    consumer_key: str = ""
    """Of the External Client App; needed by every way to sign in but soap."""
    auth: Literal["client_credentials", "jwt", "refresh_token", "soap"] = "client_credentials"
    username: str | None = None
    """jwt and soap: the user that Undertone acts as."""
    audience: Literal["login", "test"] | None = None
    """JWT only: test for a sandbox org; if not given, by the domain."""
    api_version: str = Field(default="64.0", pattern=r"^[1-9]\d\.0$")
    endpoint: str | None = None
    """A loopback address that stands in for Salesforce, for demos and tests: http://127.0.0.1:8200."""
    api_share: float = Field(default=0.8, gt=0, le=1)
    """Reading waits once this share of the org's daily API requests is used, whoever used them."""
    run_share: float = Field(default=0.25, gt=0, le=1)
    """Of the org's daily API requests, the share that one run may use by itself."""
    bulk_from: int = Field(default=10_000, ge=1)
    """More rows than this are read by a Bulk API job, fewer by queries."""

    seats_field: FieldName = "Seats__c"
    arr_field: FieldName = "ARR__c"
    region_field: FieldName = "BillingCountryCode"
    timezone_field: FieldName = None
    renewal_source: Annotated[tuple[RenewalSource, ...], BeforeValidator(_words)] = ("opportunity",)
    """Where renewal dates live: the close date of opportunities of the renewal_types, the renewal_date_field of accounts, or the end of
    activated contracts; several of them if the org mixes. A renewal_date_field alone means opportunity and account."""
    renewal_date_field: FieldName = None
    """A date on Account."""
    opportunity_type_field: FieldName = "Type"
    renewal_types: Words = ("Renewal",)
    """The opportunity types that mean a renewal."""
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    """Of amounts, in an org with a single currency."""
    our_domains: Words = ()
    """Mail domains of our own people beside those of the org's users."""

    key_field: FieldName = "Undertone_Key__c"
    feedback_field: FieldName = "Undertone_Feedback__c"
    duplicate_rules: Literal["refuse", "save"] = "refuse"
    """What a duplicate rule that only alerts does to a task: the admin's rule stands until they say save. One that blocks always stands."""
    fallback_owner: str | None = Field(default=None, pattern=r"^(005|00G)[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$")
    """The user or queue that gets a task when its owner and their manager are inactive."""

    @model_validator(mode="before")
    @classmethod
    def _no_secrets(cls, given: object) -> object:
        if isinstance(given, dict) and {"password", "security_token"} & given.keys():
            raise ValueError(_AMONG_SETTINGS)
        return given

    @model_validator(mode="before")
    @classmethod
    def _source_of_a_date(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("renewal_date_field") and not given.get("renewal_source"):
            return {**given, "renewal_source": ("opportunity", "account")}
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
    def _complete_login(self) -> Self:
        if self.auth in ("jwt", "soap") and not self.username:
            message = f"auth={self.auth} needs username: the Salesforce user that Undertone acts as"
            raise ValueError(message)
        if self.auth != "soap" and not self.consumer_key:
            message = f"auth={self.auth} needs consumer_key: that of the External Client App in Salesforce"
            raise ValueError(message)
        if self.auth == "soap" and self.version > LAST_SOAP_VERSION:
            raise ValueError(_SOAP_VERSION)
        return self

    @model_validator(mode="after")
    def _clear_renewals(self) -> Self:
        if ("account" in self.renewal_source) == (self.renewal_date_field is not None):
            return self
        message = "renewal_source account and renewal_date_field (a date on Account) go together: give both, or neither"
        raise ValueError(message)

    @property
    def version(self) -> int:
        return int(self.api_version.partition(".")[0])

    @property
    def token_audience(self) -> str:
        return self.audience or ("test" if ".sandbox" in self.domain else "login")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
