"""A host for Pulumi's dynamic providers, in place of the stock one.

It knows nothing of Genesys and drives any `pulumi.dynamic.ResourceProvider`. `Pulumi.yaml` names the folder
`bin` beside this file; what a provider can ask of it is in `operation`.
"""

from genesys_provider.host.operation import (
    DetailedDiffResult,
    InitFailed,
    Operation,
    OperationError,
    current,
)

__all__ = ["DetailedDiffResult", "InitFailed", "Operation", "OperationError", "current"]
