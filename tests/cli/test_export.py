"""`export`: the real engine imports what it writes, and then only shows changes of values that can't be read."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from genesys_provider.cli.export import requirement
from genesys_provider.sources.manager import SourceManager
from tests.cli.cli_commands import Done, make, owner, run, source_config
from tests.support.cloud import CLIENT_SECRET, PASSWORD, SECRET_HEADER, USERNAME
from tests.support.engine import ROOT, Stack
from tests.support.shared_cloud import settings_of

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared

OAUTH2 = {"clientId": "relay", "clientSecret": PASSWORD, "tokenUrl": "https://login.example.com/token"}
KINDS: list[dict[str, Any]] = [
    {},
    {"authType": "NONE", "authConfig": {}},
    {"authType": "OAUTH2", "authConfig": OAUTH2},
    {
        "authType": "OAUTH2",
        "authConfig": {**OAUTH2, "tokenUrl": f"https://login.example.com/token?k={SECRET_HEADER}"},
    },
    {"authType": "JWT", "authConfig": {"clientId": "relay", "clientSecret": PASSWORD}},
    {"authType": "JWT", "authConfig": {}},
    {"headers": {"X-Source": "Genesys", "x-key": SECRET_HEADER}},
    {"retryPolicy": {"maxRetries": 0, "backoffStrategy": "LINEAR", "initialDelaySeconds": 30}},
    {"endpointUrl": f"https://gateway.example.com/events?key={SECRET_HEADER}"},
    {"headers": owner("orders", "prod", "other")},
]
NAMES = ["orders", "Größe «{x}»", 'it\'s "quoted" \\n', "a b", "a/b", "#", "class", "a-b"]


@pytest.fixture
def fleet(cloud: Cloud, tmp_path: Path) -> Cloud:
    """30 targets of all kinds, and three sources."""
    for number in range(30):
        name = NAMES[number] if number < len(NAMES) else f"target-{number}"
        make(cloud, name, **KINDS[number % len(KINDS)])
    with SourceManager(settings_of(cloud, tmp_path)) as manager:
        for name, fields in (
            ("orders", {}),
            ("off", {"enabled": False}),
            ("noted", {"notes": 'two\nlines, "quoted" and {x}'}),
        ):
            manager.register(source_config(name, **fields))
    cloud.requests()
    return cloud


def filled_in(folder: Path) -> str:
    """The file of secrets, with all blanks filled in."""
    secrets = json.loads((folder / "secrets.json").read_text())
    blanks = [(fields, name) for fields in secrets.values() for name, value in fields.items() if value == ""]
    assert blanks
    for fields, name in blanks:
        fields[name] = PASSWORD
    return json.dumps(secrets)


def exported(cloud: Cloud, declared: Declared, folder: Path, *arguments: str) -> tuple[Stack, Done]:
    """A stack from the files of `export`, after the steps that `export` names, with this test's Python."""
    done = run("export", folder, *arguments, env=cloud.env)
    assert done.code == 0, done.err
    stack = declared.stack("", name="elsewhere")
    project = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    project["runtime"]["options"] = {"virtualenv": sys.prefix}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    stack.directory, stack.name, stack.project = folder, "exported", project["name"]
    stack.env = {key: value for key, value in stack.env.items() if not key.startswith("GENESYSCLOUD_")}
    stack.must("stack", "init", "exported")
    stack.must("config", "set", "--secret", "genesys:clientSecret", "--", CLIENT_SECRET)
    if (folder / "secrets.json").exists():
        stack.must("config", "set", "--secret", "secrets", "--", filled_in(folder))
    return stack, done


IMPORT = ("import", "-f", "import.json", "--yes", "--skip-preview", "--generate-code=false")


def test_a_round_trip(fleet: Cloud, declared: Declared, tmp_path: Path) -> None:
    stack, done = exported(fleet, declared, tmp_path / "exported")
    assert "30 targets, 3 sources written to" in done.out
    assert "some belong to other stacks (prod::other)" in done.err
    imported = stack.must(*IMPORT)
    assert "33 imported" in imported.output, imported.output
    assert not fleet.writes()

    changes = changed(stack)
    assert len(changes) == 33
    assert all("owner" in paths for paths in changes.values())
    # A URL with a query becomes a secret in the state, which changes `secrets`.
    allowed = {"owner", "authConfig.password", "authConfig.clientSecret", "secrets"}
    assert {path for paths in changes.values() for path in paths} == allowed
    with_query = 3 * sum("?" in json.dumps(each) for each in KINDS)
    assert sum("secrets" in paths for paths in changes.values()) == with_query


@pytest.mark.full_length
def test_an_up_after_the_import_keeps_the_objects(fleet: Cloud, declared: Declared, tmp_path: Path) -> None:
    before = fleet.targets()
    fleet.requests()
    stack, done = exported(fleet, declared, tmp_path / "exported", "--name", "[oc]*")
    assert "2 targets, 2 sources written" in done.out
    stack.must(*IMPORT)
    stack.must("up", "--yes", "--skip-preview")
    fleet.requests()
    after = fleet.targets()
    kept = ("id", "name", "endpointUrl", "authType", "retryPolicy", "eventTypes")
    assert [{key: each[key] for key in kept} for each in after.values()] == [
        {key: each[key] for key in kept} for each in before.values()
    ]
    assert changed(stack) == {}


def changed(stack: Stack) -> dict[str, list[str]]:
    """The properties of each resource that a preview would change."""
    preview = json.loads(stack.must("preview", "--json").output)
    return {
        step["urn"]: sorted(step.get("detailedDiff") or {})
        for step in preview["steps"]
        if step["op"] != "same" and not step["urn"].endswith(f"::{stack.project}-{stack.name}")
    }


def test_no_secret_in_files_to_commit(fleet: Cloud, tmp_path: Path) -> None:
    folder = tmp_path / "exported"
    assert run("export", folder, env=fleet.env).code == 0
    ignored = (folder / ".gitignore").read_text().split()
    assert "secrets.json" in ignored
    assert stat.S_IMODE((folder / "secrets.json").stat().st_mode) == 0o600
    for file in folder.rglob("*"):
        if file.is_file() and file.name not in ignored:
            for secret in (PASSWORD, SECRET_HEADER, CLIENT_SECRET):
                assert secret not in file.read_text(), file
    assert SECRET_HEADER in (folder / "secrets.json").read_text()
    compile((folder / "__main__.py").read_text(), "__main__.py", "exec")


def test_a_selection(fleet: Cloud, tmp_path: Path) -> None:
    done = run("export", tmp_path / "some", "--name", "o*", env=fleet.env)
    assert "1 target, 2 sources written" in done.out
    imports = json.loads((tmp_path / "some" / "import.json").read_text())["resources"]
    # A target and a source with one name differ by type for Pulumi, and by variable name for people.
    assert sorted(each["name"] for each in imports) == ["off", "orders", "orders-2"]


def test_an_empty_organization(cloud: Cloud, tmp_path: Path) -> None:
    done = run("export", tmp_path / "none", env=cloud.env)
    assert (done.code, done.err) == (0, "")
    assert "0 targets, 0 sources written" in done.out
    assert not (tmp_path / "none" / "secrets.json").exists()
    compile((tmp_path / "none" / "__main__.py").read_text(), "__main__.py", "exec")


def test_the_project_installs_the_package_from_where_it_came(cloud: Cloud, tmp_path: Path) -> None:
    """The package is in no index, so its bare name would install nothing, or somebody else's package."""
    assert run("export", tmp_path / "new", env=cloud.env).code == 0
    assert (tmp_path / "new" / "requirements.txt").read_text() == f"genesys-eventbridge @ {ROOT.as_uri()}\n"


@pytest.mark.parametrize(
    ("direct_url", "line"),
    [
        (None, "genesys-eventbridge"),
        ('{"url": "file:///p/x.whl", "archive_info": {}}', "genesys-eventbridge @ file:///p/x.whl"),
        (
            '{"url": "https://git.example.com/x.git", "vcs_info": {"vcs": "git", "commit_id": "1f3c"}}',
            "genesys-eventbridge @ git+https://git.example.com/x.git@1f3c",
        ),
    ],
)
def test_each_origin_of_an_installation(direct_url: str | None, line: str) -> None:
    assert requirement(direct_url) == line


def test_the_program_looks_handwritten(cloud: Cloud, tmp_path: Path) -> None:
    make(cloud, "orders", headers={"X-Key": SECRET_HEADER}, retryPolicy=KINDS[7]["retryPolicy"])
    cloud.requests()
    assert run("export", tmp_path / "one", env=cloud.env).code == 0
    head, _, program = (tmp_path / "one" / "__main__.py").read_text().partition("import pulumi\n")
    assert all(line.startswith("# ") for line in head.splitlines())
    assert (
        program
        == f"""\
from genesys_provider import BasicAuth, EventBridgeTarget, RetryPolicy

# What may be secret: `pulumi config set --secret secrets < secrets.json`
secrets = pulumi.Config().require_secret_object("secrets")

# As after `pulumi import`: protected resources are not deleted.
protected = pulumi.ResourceOptions(protect=True)

EventBridgeTarget(
    "orders",
    endpoint_url="{cloud.endpoint("events")}",
    event_types=["QUEUE_MEMBER_ADDED", "CONVERSATION_STARTED"],
    auth=BasicAuth(username="{USERNAME}", password=secrets["orders"]["password"]),
    retry_policy=RetryPolicy(max_retries=0, backoff_strategy="LINEAR", initial_delay_seconds=30),
    headers={{"X-Key": secrets["orders"]["headers"]["X-Key"]}},
    opts=protected,
)
"""
    )


def test_existing_files_are_not_overwritten(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("mine")
    done = run("export", tmp_path / "there", env=cloud.env)
    assert (done.code, done.out) == (1, "")
    assert "is not empty" in done.err
    assert [each.name for each in (tmp_path / "there").iterdir()] == ["mine.txt"]
    assert USERNAME not in done.err


@pytest.mark.full_length
def test_a_failed_target(cloud: Cloud, declared: Declared, tmp_path: Path) -> None:
    make(cloud, "orders", status="FAILED", message="endpoint answered 503", **KINDS[1])
    cloud.requests()
    stack, _ = exported(cloud, declared, tmp_path / "exported")
    stack.must(*IMPORT)
    (paths,) = changed(stack).values()
    assert paths == ["owner", "status"]
