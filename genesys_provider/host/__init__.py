"""A host for Pulumi's dynamic providers, in place of the stock one.

It knows nothing of Genesys and drives any `pulumi.dynamic.ResourceProvider`. `Pulumi.yaml` names the folder
`bin` beside this file; what a provider can ask of it is in `operation`.

The names of `operation` are loaded when they are first used: the host's process, which passes here before anything
else, must watch its engine before it loads Pulumi's SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genesys_provider.host.operation import (
        DetailedDiffResult,
        InitFailed,
        Operation,
        OperationError,
        current,
    )

__all__ = ["DetailedDiffResult", "InitFailed", "Operation", "OperationError", "current"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from genesys_provider.host import operation

    return getattr(operation, name)
