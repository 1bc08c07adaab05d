"""Salesforce without waiting between tries, as a connector of somebody else's: found by its entry point, in this process and in workers."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from connectors import registry
from connectors.base import Connector, Cursor, Page, Stream, StreamSchema
from connectors.context import Context
from connectors.salesforce.client import Client
from connectors.salesforce.config import SalesforceConfig
from connectors.salesforce.sink import SalesforceSink
from connectors.salesforce.source import SalesforceSource

NAME, MAILS = "hurried", "hurried_mails"


def _at_once(seconds: float) -> None:
    pass


def _source(context: Context) -> SalesforceSource:
    config = SalesforceConfig.model_validate(context.config)
    return SalesforceSource(Client(config, context, pause=_at_once), config)


def _sink(context: Context) -> SalesforceSink:
    config = SalesforceConfig.model_validate(context.config)
    return SalesforceSink(Client(config, context, pause=_at_once), config, pause=_at_once)


PAGES = "UNDERTONE_TEST_PAGES"
"""Names the file to which a worker adds a byte for each page that it was given, which outlives the worker."""


class _Mails(SalesforceSource):
    """Emails alone, so that every page is one of theirs."""

    def streams(self) -> Sequence[Stream]:
        return [s for s in super().streams() if s.name == "emails"]

    def discover(self) -> Sequence[StreamSchema]:
        return [StreamSchema(stream="emails", fields=("Id",))]

    def read(self, stream: str, after: Cursor, until: datetime) -> Iterator[Page]:
        for page in super().read(stream, after, until):
            if page.records:
                with Path(os.environ[PAGES]).open("ab") as file:
                    file.write(b".")
            yield page


def _mails(context: Context) -> _Mails:
    config = SalesforceConfig.model_validate(context.config)
    return _Mails(Client(config, context, pause=_at_once), config)


CONNECTOR = Connector(config_model=SalesforceConfig, source=_source, sink=_sink)
MAILS_CONNECTOR = Connector(config_model=SalesforceConfig, source=_mails)


def install() -> None:
    """As if a package with this entry point were installed, for every process that is started from now on too. Again in each block
    that has an environment of its own: a worker that does not know the connector does nothing, and nothing goes wrong."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(Path(__file__).parents[2]), str(_package()))))


@cache
def _package() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="undertone-hurried-"))
    info = folder / "hurried-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hurried\nVersion: 1.0\n")
    module = "tests.e2e.hurried"
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{NAME} = {module}:CONNECTOR\n{MAILS} = {module}:MAILS_CONNECTOR\n")
    sys.path.append(str(folder))
    return folder
