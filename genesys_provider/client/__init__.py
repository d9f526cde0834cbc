"""Genesys Cloud over HTTP: login, limits, retries and one method for each call of the API."""
