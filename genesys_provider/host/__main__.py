"""Starts the host: `python -m genesys_provider.host ENGINE-ADDRESS`, as the script in `bin` does for Pulumi."""

import os
import sys

from genesys_provider.host.lifetime import Lifetime

if __name__ == "__main__":
    # Before anything else: the imports below take a second, in which the engine may die.
    address = sys.argv[-1]
    lifetime = Lifetime(address)

    # gRPC reads this on import: its log and its warnings about forks would appear in the user's output.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

    from genesys_provider.host.server import serve

    serve(address, lifetime)
