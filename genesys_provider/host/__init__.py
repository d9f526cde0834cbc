"""A host for Pulumi's dynamic providers that replaces the stock one.

It is independent of Genesys and runs any `pulumi.dynamic.ResourceProvider`. `Pulumi.yaml` names the directory `bin`
next to this file; `operation` has what a provider can ask of the host.

The names of `operation` are loaded on first use, since this module is the first that the host's process imports,
and that must watch its engine before it loads Pulumi's SDK.
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
