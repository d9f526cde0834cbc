"""Starts the host: `python -m genesys_provider.host ADDRESS-OF-THE-ENGINE`, as `bin` does for Pulumi."""

import os
import sys

from genesys_provider.host.lifetime import Lifetime

if __name__ == "__main__":
    # First of all: what follows takes a second, in which the engine may die.
    address = sys.argv[-1]
    lifetime = Lifetime(address)

    # gRPC reads these on import: its log and its warnings about forks would land in the user's output.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

    from genesys_provider.host.server import serve

    serve(address, lifetime)
