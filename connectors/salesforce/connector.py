"""The connector as the registry hands it out."""

from __future__ import annotations

from connectors.base import Connector, Sink, Source
from connectors.context import Context
from connectors.salesforce.config import SalesforceConfig


def _source(context: Context) -> Source:
    # simple-salesforce takes a third of a second to import, and most processes open no connection.
    from connectors.salesforce.client import Client
    from connectors.salesforce.source import SalesforceSource

    settings = SalesforceConfig.model_validate(context.config)
    return SalesforceSource(Client(settings, context), settings)


def _sink(context: Context) -> Sink:
    from connectors.salesforce.client import Client
    from connectors.salesforce.sink import SalesforceSink

    settings = SalesforceConfig.model_validate(context.config)
    return SalesforceSink(Client(settings, context), settings)


CONNECTOR = Connector(config_model=SalesforceConfig, source=_source, sink=_sink)
