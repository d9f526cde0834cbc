"""`targets list` and `targets show`, as an operator runs them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genesys_provider.cli.selection import Selection
from genesys_provider.common.audit import AuditEvent, AuditTrail
from genesys_provider.targets.models import Target
from tests.cli.cli_commands import environment, make, on_terminal, owner, run
from tests.support.cloud import SECRET_HEADER
from tests.support.process import COMMAND
from tests.support.shared_cloud import counted

if TYPE_CHECKING:
    from typing import IO

    from tests.support.cloud import Cloud
    from tests.support.declared import Declared

KEYS = {
    "id",
    "name",
    "status",
    "reason",
    "since",
    "endpointUrl",
    "authType",
    "authConfig",
    "eventTypes",
    "owner",
    "retryPolicy",
    "headerNames",
    "selfUri",
}


@pytest.fixture
def fleet(cloud: Cloud) -> Cloud:
    """A verified, a failed and a pending target, of two stacks and of none."""
    make(cloud, "orders", headers={**owner("orders"), "X-Key": SECRET_HEADER})
    make(cloud, "queues", status="FAILED", message="endpoint answered 503", headers=owner("queues", "prod"))
    make(cloud, "presence", status="PENDING_VERIFICATION")
    cloud.requests()
    return cloud


def test_a_list(fleet: Cloud) -> None:
    done = run("targets", "list", env=fleet.env)
    assert (done.code, done.err) == (0, "")
    url = fleet.endpoint("events")
    table = [line.split() for line in done.out.splitlines()]
    types = ["CONVERSATION_STARTED,", "QUEUE_MEMBER_ADDED"]
    assert table == [
        ["NAME", "STATUS", "ENDPOINT", "OWNER", "EVENT", "TYPES"],
        ["orders", "VERIFIED", url, "dev::shop::orders", *types],
        ["presence", "PENDING_VERIFICATION", url, *types],
        ["queues", "FAILED", url, "prod::shop::queues", *types],
        ["endpoint", "answered", "503"],
        ["3", "targets:", "1", "FAILED,", "1", "PENDING_VERIFICATION,", "1", "VERIFIED"],
    ]
    # One request for the list, one for the reason, and the login.
    assert len(fleet.requests()) == 3


def test_json(fleet: Cloud) -> None:
    done = run("targets", "list", "--json", env=fleet.env)
    assert (done.code, done.err) == (0, "")
    assert all(set(each) == KEYS for each in done.json)
    orders, presence, queues = done.json
    assert (orders["name"], orders["status"], orders["reason"]) == ("orders", "VERIFIED", None)
    assert orders["endpointUrl"] == fleet.endpoint("events")
    assert orders["authType"] == "BASIC"
    assert orders["eventTypes"] == ["CONVERSATION_STARTED", "QUEUE_MEMBER_ADDED"]
    assert orders["owner"] == owner("orders")["X-Pulumi-Resource"]
    assert orders["headerNames"] == ["X-Key"]
    assert (presence["owner"], presence["status"]) == (None, "PENDING_VERIFICATION")
    assert queues["reason"] == "endpoint answered 503"


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (["--status", "verified"], ["orders"]),
        (["--owner", "prod::", "--name", "*e*"], ["queues"]),
    ],
)
def test_filters(fleet: Cloud, filters: list[str], names: list[str]) -> None:
    done = run("targets", "list", "--json", *filters, env=fleet.env)
    assert done.code == 0
    assert [each["name"] for each in done.json] == names
    last = run("targets", "list", *filters, env=fleet.env).out.splitlines()[-1]
    assert last.startswith("1 of 3 targets")


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (Selection(), {"orders", "presence", "queues"}),
        (Selection(status="failed"), {"queues"}),
        (Selection(pattern="*e*"), {"orders", "presence", "queues"}),
        (Selection(pattern="o*"), {"orders"}),
        (Selection(owner="dev::shop"), {"orders"}),
        (Selection(owner="dev::shop::ord"), {"orders"}),
        (Selection(owner="urn:pulumi:prod::shop::"), {"queues"}),
        (Selection(owner="prod::", status="VERIFIED"), set()),
    ],
)
def test_what_a_selection_holds(selection: Selection, names: set[str]) -> None:
    statuses = {"orders": "VERIFIED", "queues": "FAILED", "presence": "PENDING_VERIFICATION"}
    marks = {"orders": owner("orders"), "queues": owner("queues", "prod"), "presence": {}}
    fleet = [
        Target.read(
            {
                "id": name,
                "name": name,
                "status": status,
                "endpointUrl": "https://events.example/",
                "authType": "NONE",
                "eventTypes": [],
                "headers": marks[name],
            }
        )
        for name, status in statuses.items()
    ]
    assert {each.name for each in fleet if selection.holds(each, each.status)} == names


def test_an_empty_organization(cloud: Cloud) -> None:
    done = run("targets", "list", env=cloud.env)
    assert (done.code, done.out, done.err) == (0, "0 targets\n", "")
    assert run("targets", "list", "--json", env=cloud.env).json == []


def test_more_than_a_page(cloud: Cloud) -> None:
    for number in range(101):
        make(cloud, f"target-{number:03}")
    cloud.requests()
    done = run("targets", "list", env=cloud.env)
    assert done.out.splitlines()[-1] == "101 targets: 101 VERIFIED"
    assert len(cloud.requests()) == 3


def test_text_from_the_api_is_not_markup_and_can_not_control_the_terminal(cloud: Cloud) -> None:
    make(cloud, "[bold red]bad[/] :boom:", status="FAILED", message="answered \x1b[2J[blink]x")
    code, seen = on_terminal("targets", "list", env=cloud.env, columns=200)
    assert code == 0
    assert "[bold red]bad[/] :boom:" in seen
    assert "[blink]x" in seen
    assert "\x1b[2J" not in seen


def test_colours_only_appear_on_a_terminal(fleet: Cloud) -> None:
    assert "\x1b[31mFAILED" in on_terminal("targets", "list", env=fleet.env)[1]
    assert "\x1b[" not in run("targets", "list", env=fleet.env).out
    plain = on_terminal("targets", "list", env={**fleet.env, "NO_COLOR": "1"})[1]
    assert "FAILED" in plain
    assert "\x1b[31" not in plain


def test_a_narrow_terminal_wraps_without_losing_text(fleet: Cloud) -> None:
    _, seen = on_terminal("targets", "list", env=fleet.env, columns=85)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", seen).splitlines()
    assert max(map(len, lines)) <= 85
    # The column of the name, and the wrapped text of the last column.
    assert {line.split()[0] for line in lines} >= {"orders", "presence", "queues"}
    assert "…" not in seen
    assert sum(line.count("QUEUE_MEMBER") for line in lines) == 3


@pytest.mark.parametrize("columns", [40, 80])
def test_a_very_narrow_terminal_gets_a_list(fleet: Cloud, columns: int) -> None:
    _, seen = on_terminal("targets", "list", env=fleet.env, columns=columns)
    *lines, last = re.sub(r"\x1b\[[0-9;]*m", "", seen).splitlines()
    assert max(map(len, lines)) <= columns
    assert {"orders", "presence", "queues"} <= set(lines), "no name is broken"
    assert sum("FAILED" in line for line in lines) == 1, "no status is broken"
    assert last.startswith("3 targets: ")


def _listing_to(out: int | IO[str], cloud: Cloud, *options: str) -> subprocess.CompletedProcess[str]:
    """`targets list` with its output written there."""
    return subprocess.run(
        [COMMAND, "targets", "list", *options],
        env=environment(cloud.env),
        stdout=out,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["table", "json"])
def test_a_reader_that_has_seen_enough(fleet: Cloud, options: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = _listing_to(writer, fleet, *options)
    os.close(writer)
    assert done.stderr == ""


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["table", "json"])
def test_a_full_disk_is_told_in_one_sentence(fleet: Cloud, options: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = _listing_to(full, fleet, *options)
    assert done.returncode == 1
    assert done.stderr == "Error: No space left on device.\n"


def test_a_name_that_the_output_can_not_encode(cloud: Cloud) -> None:
    make(cloud, "queue \N{SNOWMAN} \N{GRINNING FACE}")
    env = {**cloud.env, "PYTHONIOENCODING": "latin-1"}
    assert "queue \\u2603" in run("targets", "list", env=env).out
    (target,) = run("targets", "list", "--json", env=env).json
    assert target["name"] == "queue \N{SNOWMAN} \N{GRINNING FACE}"


def test_a_filter_that_nothing_matches_says_what_there_is(fleet: Cloud) -> None:
    done = run("targets", "list", "--status", "verfied", env=fleet.env)
    assert done.code == 0
    assert done.out.startswith("0 of 3 targets: ")
    assert "1 FAILED" in done.out
    assert run("targets", "list", "--status", "Failed", env=fleet.env).out.endswith("1 FAILED\n")


def test_a_stack_outside_of_a_project(cloud: Cloud, tmp_path: Path) -> None:
    done = run("targets", "list", "--stack", "acme/shop/dev", env=cloud.env, cwd=tmp_path)
    assert done.code == 1
    assert done.err == (
        f"Error: There is no Pulumi project in {tmp_path} or above it, so no stack acme/shop/dev. Run this in the "
        "project's directory, or name that with --cwd DIR.\n"
    )


def test_the_start_of_a_status_comes_from_the_audit_file(cloud: Cloud) -> None:
    target_id = make(cloud, "orders")
    trail = AuditTrail(cloud.audit_log)
    trail.record(AuditEvent.TARGET_CREATED, target_id, latency_seconds=0.1)
    trail.record(AuditEvent.TARGET_VERIFIED, target_id, latency_seconds=3.0)
    first = trail.entries[-1].timestamp
    trail.record(AuditEvent.TARGET_VERIFIED, target_id, latency_seconds=3.0)
    trail.record(AuditEvent.TARGET_VERIFICATION_FAILED, "another", error="x")
    (target,) = run("targets", "list", "--json", env=cloud.env).json
    assert target["since"] == first
    assert "s ago" in run("targets", "list", env=cloud.env).out
    # The entry in the file is about another status than the current one.
    cloud.control(f"targets/{target_id}/status", status="FAILED", message="x")
    (target,) = run("targets", "list", "--json", env=cloud.env).json
    assert target["since"] is None


def test_reading_writes_no_audit_file(fleet: Cloud) -> None:
    run("targets", "list", env=fleet.env)
    assert not fleet.audit_log.exists()


def test_show(fleet: Cloud) -> None:
    target_id = fleet.living()["queues"]
    AuditTrail(fleet.audit_log).record(AuditEvent.TARGET_VERIFICATION_FAILED, target_id, error="answered 503")
    for name in ("queues", target_id):
        done = run("targets", "show", name, env=fleet.env)
        assert (done.code, done.err) == (0, "")
        for expected in (
            target_id,
            "FAILED",
            "endpoint answered 503",
            owner("queues", "prod")["X-Pulumi-Resource"],
            "BASIC: username genesys-relay",
            "maxRetries 5, backoffStrategy EXPONENTIAL",
            f"TARGET_VERIFICATION_FAILED  {target_id}  answered 503",
        ):
            assert expected in done.out
    shown = run("targets", "show", "queues", "--json", env=fleet.env).json
    assert set(shown) == {*KEYS, "organizationId", "auditEntries"}
    assert shown["since"] == shown["auditEntries"][0]["timestamp"]


def test_show_of_a_missing_target(fleet: Cloud) -> None:
    done = run("targets", "show", "missing", env=fleet.env)
    assert (done.code, done.out) == (1, "")
    assert "There is no target with the name or id 'missing' in organization" in done.err


def test_a_stacks_connection(fleet: Cloud, declared: Declared, tmp_path: Path) -> None:
    settings = {key: value for key, value in fleet.env.items() if key.startswith("GENESYSCLOUD_")}
    stack = declared.stack(
        "",
        env=dict.fromkeys(settings, ""),
        config={
            "genesys:apiUrl": settings["GENESYSCLOUD_API_URL"],
            "genesys:loginUrl": settings["GENESYSCLOUD_LOGIN_URL"],
            "genesys:clientId": settings["GENESYSCLOUD_OAUTHCLIENT_ID"],
            "city": "Zürich",
        },
        secrets={"genesys:clientSecret": settings["GENESYSCLOUD_OAUTHCLIENT_SECRET"]},
    )
    env = {key: value for key, value in stack.env.items() if not key.startswith("GENESYSCLOUD_")}
    done = run("targets", "list", "--json", "--stack", "dev", "--cwd", stack.directory, env=env, cwd=tmp_path)
    assert done.code == 0, done.err
    assert len(done.json) == 3
    # Pulumi prints UTF-8, whatever the locale is.
    ascii_only = {**env, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert run("targets", "list", "--stack", "dev", env=ascii_only, cwd=stack.directory).code == 0
    done = run("targets", "list", "--stack", "missing", env=env, cwd=stack.directory)
    assert done.code == 1
    assert "no stack named 'missing' found" in done.err
    stack.must("config", "rm", "genesys:clientSecret")
    done = run("targets", "list", "--stack", "dev", env=env, cwd=stack.directory)
    assert done.code == 1
    assert "pulumi config set genesys:clientSecret" in done.err
    (stack.directory / "ca.pem").write_text("none")
    stack.must("config", "set", "genesys:caFile", "ca.pem")
    done = run("targets", "list", "--stack", "dev", "--cwd", stack.directory, env=env, cwd=tmp_path)
    assert done.code == 1
    assert f"genesys:caFile names {stack.directory}/ca.pem, which can't be used" in done.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"GENESYSCLOUD_OAUTHCLIENT_ID": ""},
            "GENESYSCLOUD_OAUTHCLIENT_ID is not set. Set it, or name a stack",
        ),
        ({"GENESYSCLOUD_OAUTHCLIENT_SECRET": "wrong-one"}, "login refused"),
        ({"GENESYSCLOUD_API_URL": "ftp://x"}, "GENESYSCLOUD_API_URL must be an https:// URL"),
        ({"GENESYSCLOUD_CA_FILE": "/missing"}, "GENESYSCLOUD_CA_FILE names /missing, which can't be used"),
        (
            {"GENESYSCLOUD_API_URL": "http://127.0.0.1:1", "GENESYSCLOUD_MAX_RETRIES": "0"},
            "Check that the API is reachable from here",
        ),
    ],
)
def test_errors_are_one_sentence(cloud: Cloud, change: dict[str, str], said: str) -> None:
    for command in (["targets", "list"], ["targets", "show", "x"], ["sources", "list"]):
        done = run(*command, env={**cloud.env, **change})
        assert (done.code, done.out) == (1, "")
        assert said in done.err
        assert done.err.startswith("Error: ")
        assert done.err.count("\n") == 1
        assert "wrong-one" not in done.err


@pytest.mark.parametrize(("retries", "requests"), [({}, 2), ({"GENESYSCLOUD_MAX_RETRIES": "0"}, 1)])
def test_a_command_tries_again_once(cloud: Cloud, retries: dict[str, str], requests: int) -> None:
    cloud.control("faults", match={"method": "GET", "path": "*"}, action="status", status=503, times=100)
    assert run("targets", "list", env={**cloud.env, **retries}).code == 1
    assert counted(cloud.requests(), "GET ") == requests


def test_usage_errors(cloud: Cloud, tmp_path: Path) -> None:
    for arguments in (
        ["targets", "list", "--cwd", tmp_path],
        ["targets", "show"],
        ["targets", "list", "--odd"],
        ["targets", "watch", "--interval", "nan"],
        ["sources", "watch", "--interval", "inf"],
        ["monitor", "--port", "0", "--interval", "nan"],
        ["monitor", "--port", "0", "--health-interval", "nan"],
        ["emulator", "--port", "0", "--verification-seconds", "nan"],
    ):
        assert run(*arguments, env=cloud.env).code == 2


@pytest.mark.parametrize(
    ("command", "progress"),
    {
        ("list",): "reading targets",
        ("show", "orders"): "reading the target",
        ("health", "--all"): "reading targets",
    }.items(),
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_progress_only_appears_on_a_terminal(cloud: Cloud, command: tuple[str, ...], progress: str) -> None:
    make(cloud, "orders")
    cloud.requests()
    match = {"method": "GET", "path": "/api/v2/integrations/eventbridge/targets"}
    cloud.control("faults", match=match, action="delay", seconds=1.5, times=2)
    assert progress in on_terminal("targets", *command, env=cloud.env)[1]
    done = run("targets", *command, env=cloud.env)
    assert (done.code, done.err) == (0, "")
    assert progress not in done.out
