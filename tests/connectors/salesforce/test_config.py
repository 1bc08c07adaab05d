"""Settings: what is refused, and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from connectors.salesforce import CONNECTOR
from connectors.salesforce.config import SalesforceConfig

BASICS = {"domain": "acme.my", "consumer_key": "3MVG9"}


def config(**values: Any) -> SalesforceConfig:
    return SalesforceConfig.model_validate({**BASICS, **values})


def refusal(**values: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        config(**values)
    return str(caught.value.errors()[0]["msg"])


@pytest.mark.parametrize("secret", ["password", "security_token"])
def test_a_secret_among_the_settings_is_refused_with_what_to_do(secret: str) -> None:
    said = refusal(username="ann@vendor.example", auth="soap", **{secret: "s3cret"})
    assert "--secret" in said
    assert "External Client App" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "endpoint",
    [
        *("https://127.0.0.1:80", "http://10.0.0.1:80", "http://example.com:80", "http://127.0.0.1.example.com:80", "http://127.0.0.1"),
        *("ftp://127.0.0.1:21", "http://127.0.0.1@evil.example:80", "http://127.0.0.1:80/path", "http://0.0.0.0:80"),
    ],
)
def test_a_stand_in_must_be_on_this_machine(endpoint: str) -> None:
    assert "loopback" in refusal(endpoint=endpoint)


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8200", "http://localhost:1", "http://[::1]:8200", "http://127.0.0.1:8200/"])
def test_a_stand_in_on_this_machine_is_taken(endpoint: str) -> None:
    assert config(endpoint=endpoint).endpoint == endpoint.rstrip("/")


@pytest.mark.parametrize("domain", ["login", "test", "login.salesforce.com", "a b", "acme.my/../x", "", "https://", "acme.my?x=1"])
def test_a_domain_that_is_no_org_is_refused(domain: str) -> None:
    assert "domain" in refusal(domain=domain).lower()


@pytest.mark.parametrize("domain", ["acme.my", "https://acme.my.salesforce.com/", "ACME.my.salesforce.com", "acme.my.salesforce.com/"])
def test_a_domain_is_taken_in_any_of_its_forms(domain: str) -> None:
    assert config(domain=domain).domain == "acme.my"


@pytest.mark.parametrize("name", ["Seats__c FROM User", "a,b", "x'", "Owner.Name"])
def test_a_field_name_cannot_carry_a_query(name: str) -> None:
    assert "API name" in refusal(seats_field=name)


def test_an_empty_field_name_means_there_is_none() -> None:
    assert config(seats_field="").seats_field is None


def test_a_typing_error_in_a_setting_is_not_passed_over() -> None:
    assert "not permitted" in refusal(seat_field="Seats__c")


@pytest.mark.parametrize("auth", ["jwt", "soap"])
def test_a_login_as_somebody_needs_a_user(auth: str) -> None:
    assert "username" in refusal(auth=auth)


@pytest.mark.parametrize("auth", ["jwt", "client_credentials", "refresh_token"])
def test_a_login_by_an_app_needs_its_key(auth: str) -> None:
    assert "consumer_key" in refusal(auth=auth, consumer_key="", username="ann@vendor.example")


def test_soap_has_no_app_and_lowers_no_version_by_itself() -> None:
    made = config(auth="soap", username="ann@vendor.example", consumer_key="")
    assert (made.version, made.api_version) == (64, "64.0")
    said = refusal(auth="soap", username="ann@vendor.example", api_version="65.0")
    assert "64.0 or lower" in said
    assert "does not exist in API 65.0 and above" in said


@pytest.mark.parametrize("values", [{"api_share": 0}, {"run_share": 1.1}, {"bulk_from": 0}])
def test_a_share_is_a_share(values: dict[str, Any]) -> None:
    assert refusal(**values)
    assert (config().api_share, config().run_share, config().bulk_from) == (0.8, 0.25, 10_000)


def test_where_renewals_live_is_said_or_follows() -> None:
    assert config().renewal_source == ("opportunity",)
    assert config(renewal_date_field="Renewal__c").renewal_source == ("opportunity", "account")
    assert config(renewal_source="account", renewal_date_field="Renewal__c").renewal_source == ("account",)
    assert config(renewal_source="contract, opportunity").renewal_source == ("contract", "opportunity")


@pytest.mark.parametrize("values", [{"renewal_source": "account"}, {"renewal_source": "opportunity", "renewal_date_field": "Renewal__c"}])
def test_a_renewal_date_and_its_source_go_together(values: dict[str, Any]) -> None:
    assert "go together" in refusal(**values)


def test_a_source_of_renewals_that_there_is_not_is_refused() -> None:
    assert "'opportunity', 'account' or 'contract'" in refusal(renewal_source="invoice")


def test_a_sandbox_org_signs_in_at_test() -> None:
    assert config(domain="acme--uat.sandbox.my").token_audience == "test"
    assert config().token_audience == "login"
    assert config(audience="test").token_audience == "test"


def test_settings_survive_being_stored() -> None:
    made = config(renewal_types="Renewal, Existing - Renewal", our_domains="vendor.example", renewal_date_field="Renewal__c")
    assert made.renewal_types == ("Renewal", "Existing - Renewal")
    assert CONNECTOR.config_model.model_validate(made.model_dump(mode="json")) == made
