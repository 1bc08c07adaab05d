"""The connector as the registry hands it out."""

from __future__ import annotations

from typing import Any

from connectors.base import Connector, Sink, Source
from connectors.salesforce.config import SalesforceConfig


def _source(config: dict[str, Any], secrets: dict[str, str]) -> Source:
    # simple-salesforce takes a third of a second to import, and most processes open no connection.
    from connectors.salesforce.client import Client
    from connectors.salesforce.source import SalesforceSource

    settings = SalesforceConfig.model_validate(config)
    return SalesforceSource(Client(settings, secrets), settings)


def _sink(config: dict[str, Any], secrets: dict[str, str]) -> Sink:
    from connectors.salesforce.client import Client
    from connectors.salesforce.sink import SalesforceSink

    settings = SalesforceConfig.model_validate(config)
    return SalesforceSink(Client(settings, secrets), settings)


CONNECTOR = Connector(config_model=SalesforceConfig, source=_source, sink=_sink)
