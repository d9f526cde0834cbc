"""`python -m genesys_provider.cli` is `genesys-eventbridge`."""

from genesys_provider.cli import main

main(prog_name="genesys-eventbridge")
