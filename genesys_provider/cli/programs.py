"""The text of a Pulumi project that declares what an organization has.

Files for the repository contain nothing that may be secret: the program reads it from the config `secrets`.
`secrets.json` next to it has the values that the API returns, with blanks for those that it never returns. The
value of a header may be secret, and so may a URL with a query.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genesys_provider.client.naming import snake
from genesys_provider.client.redaction import SECRET_FIELDS
from genesys_provider.client.settings import Settings
from genesys_provider.sources.models import Source
from genesys_provider.targets.models import RetryPolicyConfig, Target
from genesys_provider.targets.vocabulary import NEEDED_AUTH_FIELDS

TARGET_TYPE = "pulumi-python:dynamic/genesys:EventBridgeTarget"
SOURCE_TYPE = "pulumi-python:dynamic/genesys:EventBridgeSource"
_CLASSES = {"BASIC": "BasicAuth", "OAUTH2": "OAuth2Auth", "JWT": "JwtAuth"}
_JWT_SECRETS = {"clientId": "clientSecret", "username": "password"}
"""Which secret of a JWT belongs to which field that the API returns; there is no rule for them [S]."""
_HEAD = """# Written by `genesys-eventbridge export`: the objects of
# {organization}
import pulumi
{imports}"""
_SECRETS = """
# What may be secret: `pulumi config set --secret secrets < secrets.json`
secrets = pulumi.Config().require_secret_object("secrets")
"""
_PROTECTED = """
# As after `pulumi import`: protected resources are not deleted.
protected = pulumi.ResourceOptions(protect=True)
"""


@dataclass
class Exported:
    """A program, its import file, and its secrets."""

    declarations: list[str] = field(default_factory=list)
    imports: list[dict[str, str]] = field(default_factory=list)
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    classes: set[str] = field(default_factory=set)

    def program(self, organization: str) -> str:
        """`__main__.py`; the organization is a single line without a line ending."""
        names = ", ".join(sorted(self.classes))
        imports = f"from genesys_provider import {names}\n" if names else ""
        parts = [
            _HEAD.format(organization=organization, imports=imports),
            _SECRETS if self.secrets else "",
            _PROTECTED if self.declarations else "",
            *(f"\n{each}\n" for each in self.declarations),
        ]
        return "".join(parts)

    def import_file(self) -> str:
        """The input of `pulumi import -f`."""
        return json.dumps({"resources": self.imports}, indent=2) + "\n"

    def secrets_file(self) -> str:
        """The input of `pulumi config set --secret secrets`, once its blanks are filled in."""
        return json.dumps(self.secrets, indent=2, ensure_ascii=False) + "\n"

    @property
    def blanks(self) -> list[str]:
        """The secrets that can't be read, as `resource.field`."""
        return [
            f"{name}.{field}"
            for name, fields in self.secrets.items()
            for field, value in fields.items()
            if value == ""
        ]


def exported(targets: Iterable[Target], sources: Iterable[Source]) -> Exported:
    """The declarations of these objects, each with a resource name of its own."""
    made, taken = Exported(), set[str]()
    for target in targets:
        name = _resource_name(target.name, taken)
        made.imports.append({"type": TARGET_TYPE, "name": name, "id": target.id})
        made.declarations.append(_target(made, name, target))
    for source in sources:
        name = _resource_name(source.name, taken)
        made.imports.append({"type": SOURCE_TYPE, "name": name, "id": source.id})
        made.declarations.append(_source(made, name, source))
    return made


def _resource_name(name: str, taken: set[str]) -> str:
    """A unique name that is suitable for URNs, shells and people."""
    base = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-") or "unnamed"
    found, number = base, 2
    while found in taken:
        found, number = f"{base}-{number}", number + 1
    taken.add(found)
    return found


def _target(made: Exported, resource: str, target: Target) -> str:
    made.classes.add("EventBridgeTarget")
    secret = _Secrets(made, resource)
    arguments = [
        *([] if target.name == resource else [("name", _text(target.name))]),
        ("endpoint_url", _url(secret, "endpointUrl", target.endpoint_url)),
        ("event_types", _list(target.event_types)),
    ]
    if target.auth_type in _CLASSES:
        made.classes.add(_CLASSES[target.auth_type])
        arguments.append(("auth", _auth(secret, target)))
    policy = {**RetryPolicyConfig().model_dump(by_alias=True), **target.retry_policy}
    if policy != RetryPolicyConfig().model_dump(by_alias=True):
        made.classes.add("RetryPolicy")
        arguments.append(("retry_policy", _call("RetryPolicy", _in_python(policy))))
    if target.headers:
        kept = secret("headers", target.headers)
        values = ", ".join(f"{_text(name)}: {kept}[{_text(name)}]" for name in target.headers)
        arguments.append(("headers", f"{{{values}}}"))
    return _declared("EventBridgeTarget", resource, arguments)


def _auth(secret: _Secrets, target: Target) -> str:
    shown = dict(target.auth_config)
    fields = {
        name: _url(secret, name, value) if name == "tokenUrl" else _text(value)
        for name, value in shown.items()
    }
    needed: Sequence[str] = NEEDED_AUTH_FIELDS.get(target.auth_type) or [
        _JWT_SECRETS[name] for name in shown if name in _JWT_SECRETS
    ]
    for name in needed:
        if name in SECRET_FIELDS:
            fields[name] = secret(name, "")
    return _call(_CLASSES[target.auth_type], {snake(name): value for name, value in fields.items()})


def _source(made: Exported, resource: str, source: Source) -> str:
    made.classes.add("EventBridgeSource")
    return _declared(
        "EventBridgeSource",
        resource,
        [
            *([] if source.name == resource else [("name", _text(source.name))]),
            ("aws_account_id", _text(source.aws_account_id)),
            ("aws_region", _text(source.aws_region)),
            ("event_source_suffix", _text(source.event_source_suffix)),
            ("topics", _list(source.topics)),
            *([("notes", _text(source.notes))] if source.notes else []),
            *([] if source.enabled else [("enabled", "False")]),
        ],
    )


class _Secrets:
    """What may be secret about one resource: stored in the secrets file, referenced by the program."""

    def __init__(self, made: Exported, resource: str) -> None:
        self._made, self._resource = made, resource

    def __call__(self, name: str, value: Any) -> str:
        self._made.secrets.setdefault(self._resource, {})[name] = value
        return f"secrets[{_text(self._resource)}][{_text(name)}]"


def _url(secret: _Secrets, name: str, url: str) -> str:
    return secret(name, url) if "?" in url else _text(url)


def _declared(kind: str, resource: str, arguments: Sequence[tuple[str, str]]) -> str:
    lines = "".join(f"    {name}={value},\n" for name, value in arguments)
    return f"{kind}(\n    {_text(resource)},\n{lines}    opts=protected,\n)"


def _text(value: object) -> str:
    """A literal, in double quotes unless that would need escapes."""
    literal = repr(value)
    if isinstance(value, str) and '"' not in value and literal[0] == "'":
        return f'"{literal[1:-1]}"'
    return literal


def _call(kind: str, arguments: Mapping[str, str]) -> str:
    return f"{kind}({', '.join(f'{name}={value}' for name, value in arguments.items())})"


def _list(items: Iterable[str]) -> str:
    return "[" + ", ".join(_text(each) for each in items) + "]"


def _in_python(fields: Mapping[str, Any]) -> dict[str, str]:
    known = {snake(name): _text(value) for name, value in fields.items()}
    return {
        name: value for name, value in known.items() if name.isidentifier() and not keyword.iskeyword(name)
    }


def stack_config(settings: Settings) -> str:
    """`Pulumi.<stack>.yaml`, without the client secret."""
    import yaml

    config = {
        "genesys:apiUrl": settings.api_url,
        "genesys:loginUrl": settings.login_url,
        "genesys:clientId": settings.client_id,
        **({"genesys:caFile": str(settings.ca_file.absolute())} if settings.ca_file else {}),
    }
    return yaml.safe_dump({"config": config}, sort_keys=False)


def project_file(name: str) -> str:
    """`Pulumi.yaml`, before `init`."""
    import yaml

    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}
    return yaml.safe_dump({"name": name, "runtime": runtime}, sort_keys=False)
