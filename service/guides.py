"""Setting up each connector, in words: what each step needs and where it is done."""

from __future__ import annotations

from importlib.resources import files

from service.guide import Guide, Step


def guide_of(connector: str) -> Guide:
    return _SALESFORCE if connector == "salesforce" else _files(connector)


def _files(connector: str) -> Guide:
    """Of files there is little to say."""
    settings = Step(
        name="settings", title="Say where the files lie", needs="a folder that Undertone may read", how=(f"undertone connect {connector} --set ...",)
    )
    check = Step(name="check", title="Check, in plain words", needs="nothing; it only reads", how=(f"undertone connect {connector}",))
    pull = Step(name="pull", title="Read, score, suggest", needs="a few minutes", how=("undertone pull", "undertone score", "undertone suggest"))
    return Guide(steps=(settings, check, pull))


_METADATA = files("connectors.salesforce") / "metadata"

_SALESFORCE = Guide(
    secrets={"client_credentials": "consumer_secret", "jwt": "private_key", "refresh_token": "refresh_token", "soap": "password"},
    questions={
        "domain": "My Domain of the org (acme.my, of acme.my.salesforce.com)",
        "consumer_key": "Consumer key of the app",
    },
    follow={"renewal_date_field": "renewal_source"},
    steps=(
        Step(
            name="settings",
            title="Make an External Client App and an integration user in Salesforce",
            needs="a Salesforce admin, ten minutes",
            how=(
                "A user of its own for Undertone: Setup, Users, New User, licence Salesforce Integration, profile Minimum Access - API Only Integrations.",
                "An app: Setup, External Client App Manager, New External Client App; enable OAuth with the scope Manage user data via APIs (api), no other.",
                "Under its Policies either enable the Client Credentials Flow and name that user in Run As; or enable the JWT Bearer Flow, upload a "
                "certificate, let Admin approved users in, and give that user the app's permission set.",
                "Its consumer key and secret stand under Settings, OAuth Settings. Keep both at hand, and the org's My Domain (Setup, My Domain).",
            ),
        ),
        Step(
            name="metadata",
            title="Deploy Undertone's two fields, list view and permission sets",
            needs="the Salesforce CLI (sf) of an admin; without the fields Undertone still works, one task at a time",
            how=(
                f"cd {_METADATA}",
                "sf project deploy start --manifest package.xml --target-org YOUR_ORG",
                "sf org assign permset --name Undertone_Integration --on-behalf-of THE_INTEGRATION_USER --target-org YOUR_ORG",
                "sf org assign permset --name Undertone_People --on-behalf-of EACH_USER_WITH_TASKS --target-org YOUR_ORG",
            ),
        ),
        Step(
            name="secrets",
            title="Store the app's secret, or the key of its certificate",
            needs="the consumer secret; or, for auth=jwt, the private key as a PEM file",
            how=(
                "undertone connect salesforce --secret consumer_secret",
                "or: undertone connect salesforce --set auth=jwt --set username=USER --secret-file private_key=PATH",
            ),
        ),
        Step(name="check", title="Check, in plain words", needs="nothing; it only reads", how=("undertone connect salesforce",)),
        Step(
            name="fields",
            title="Say where seats, yearly value, region and renewal dates live",
            needs="somebody who knows the org's fields",
            how=("undertone connect salesforce --set seats_field=NAME --set renewal_date_field=NAME ...",),
        ),
        Step(
            name="pull",
            title="Read, score, suggest",
            needs="a few minutes for a small org; a large one goes on by itself under `undertone serve`",
            how=("undertone pull", "undertone score", "undertone suggest"),
        ),
        Step(name="preview", title="Look at what would be written", needs="nothing; no write request is made", how=("undertone push --preview",)),
        Step(
            name="on",
            title="Switch it on",
            needs="your yes, once",
            how=("undertone push --approve", "undertone serve"),
        ),
    ),
)
