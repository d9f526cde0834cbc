"""Starts the host: `python -m genesys_provider.host ENGINE-ADDRESS`, as the script in `bin` does for Pulumi."""

import os
import sys

if __name__ == "__main__":
    # `-m` looks for modules in the folder of the program first: one that is called `queue` or `logging` would
    # replace Python's in everything that the host imports.
    program = None if getattr(sys.flags, "safe_path", False) else sys.path.pop(0)

    from genesys_provider.host.lifetime import Lifetime

    # Before anything else: the imports below take a second, in which the engine may die.
    address = sys.argv[-1]
    lifetime = Lifetime(address)

    # gRPC reads this on import: its log and its warnings about forks would appear in the user's output.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

    from genesys_provider.host.server import serve

    # Like in the program itself, which imports Pulumi before modules of its own.
    if program is not None:
        sys.path.insert(0, program)

    serve(address, lifetime)
