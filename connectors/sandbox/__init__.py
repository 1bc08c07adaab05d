"""A Salesforce org to play with: serves a story over HTTP as Salesforce would, so that the real connector runs against it."""

from connectors.sandbox.auth import Credentials
from connectors.sandbox.errors import StoryError
from connectors.sandbox.faults import Fault
from connectors.sandbox.run import Sandbox, running
from connectors.sandbox.schema import Options

__all__ = ["Credentials", "Fault", "Options", "Sandbox", "StoryError", "running"]
