"""Genesys Cloud over HTTP: login, limits, retries and one method for each call of the API."""

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.settings import Settings

__all__ = ["GenesysClient", "Settings"]
