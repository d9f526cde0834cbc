"""What a provider gets from the host, and the effects of its answers, with the real engine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.host.house_project import program

if TYPE_CHECKING:
    from tests.host.house_project import House

SECRET = "hunter2-hunter2"


@pytest.mark.full_length
def test_many_operations_run_concurrently(house: House) -> None:
    stack = house.stack("for n in range(64): Thing(f't{n}', seconds=1)")
    result = stack.up("--parallel", "64")
    assert result.code == 0, result.output
    starts, ends = house.calls("create starts"), house.calls("create ends")
    assert len(ends) == 64
    # 64 s of waiting; the stock host's four threads take 16.
    assert max(end["at"] for end in ends) - min(start["at"] for start in starts) < 5
    assert len({start["pid"] for start in starts}) == 1
    assert len(house.calls("configure")) == 1


def test_an_error_for_the_user_has_no_traceback(house: House) -> None:
    stack = house.stack("Thing('a', error='clean')")
    result = stack.up()
    assert result.code != 0
    assert "error: a can't be had: the endpoint answered 503" in result.output
    assert "Traceback" not in result.output
    assert "a" not in stack.resources()


def test_any_other_exception_has_a_traceback(house: House) -> None:
    result = house.stack("Thing('a', error='raw')").up()
    assert "Traceback" in result.output
    assert "RuntimeError: boom" in result.output


def test_all_failures_of_a_check_are_shown(house: House) -> None:
    faults = {"size": "must be at least 1", "retryPolicy.maxRetries": "must be at most 10"}
    result = house.stack(f"Thing('a', size=0, faults={faults!r})").preview()
    assert result.code != 0
    for path, reason in faults.items():
        assert path in result.output
        assert reason in result.output


@pytest.mark.full_length
def test_a_failed_init_is_kept_and_updated(house: House) -> None:
    stack = house.stack("Thing('a', init=True)")
    result = stack.up()
    assert result.code != 0
    assert "the endpoint answered 503" in result.output
    assert "Traceback" not in result.output
    kept = stack.resources()["a"]
    assert (kept["id"], kept["outputs"]["status"]) == ("id-a", "FAILED")
    assert kept["initErrors"] == ["the endpoint answered 503", "look at its log"]
    assert stack.pending() == []

    assert stack.up().code != 0
    assert len(house.calls("create starts")) == 1
    assert stack.resources()["a"]["initErrors"]

    stack.program(program("Thing('a', size=2)"))
    mended = stack.up()
    assert mended.code == 0, mended.output
    assert "updated" in mended.output
    healthy = stack.resources()["a"]
    assert healthy["outputs"]["status"] == "VERIFIED"
    assert "initErrors" not in healthy
    assert len(house.calls("create starts")) == 1


@pytest.mark.full_length
def test_a_failed_init_in_a_refresh_is_kept(house: House) -> None:
    stack = house.stack("Thing('a', size=1)")
    stack.must("up", "--yes", "--skip-preview")
    result = stack.refresh(env={"HOUSE_FAILED": "1"})
    assert result.code == 0, result.output
    assert "it stopped answering" in result.output
    kept = stack.resources()["a"]
    assert kept["initErrors"] == ["it stopped answering"]
    assert kept["outputs"]["status"] == "FAILED"
    assert kept["inputs"]["size"] == 1
    mended = stack.up()
    assert "updated" in mended.output
    assert "initErrors" not in stack.resources()["a"]


def test_a_long_state_fits_into_a_failed_init(house: House) -> None:
    stack = house.stack("Thing('a', init=True, text='x' * 1_000_000)")
    assert "the endpoint answered 503" in stack.up().output
    assert len(stack.resources()["a"]["outputs"]["text"]) == 1_000_000


def test_a_missing_object_is_removed_from_the_state(house: House) -> None:
    stack = house.stack("Thing('a')")
    stack.must("up", "--yes", "--skip-preview")
    stack.must("refresh", "--yes", "--skip-preview", env={"HOUSE_GONE": "1"})
    assert "a" not in stack.resources()


def test_time_limits_and_urns_reach_the_provider(house: House) -> None:
    limits = "pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create='90s', delete='2m'))"
    stack = house.stack(f"Thing('limited', opts={limits})", "Thing('free')")
    stack.must("up", "--yes", "--skip-preview")
    limit_of = {each["urn"].rsplit("::", 1)[1]: each["timeout"] for each in house.calls("create starts")}
    assert limit_of == {"limited": 90, "free": None}
    stack.must("destroy", "--yes", "--skip-preview")
    assert {each["timeout"] for each in house.calls("delete")} == {120, None}


def test_status_and_warnings_are_shown_at_the_resource(house: House) -> None:
    result = house.stack("Thing('a', warn=True)").up()
    assert "waiting for the verdict" in result.output
    assert "warning: the endpoint is slow" in result.output


def test_a_message_for_the_end_is_shown_once(house: House) -> None:
    result = house.stack(
        "Thing('a', farewell='broken')\nfor n in range(3): Thing(f't{n}', farewell=True)"
    ).up()
    assert result.code == 0, result.output
    # A log has each message once more, as it comes.
    told = result.output.partition("Diagnostics:")[2]
    assert told.count("all things are made") == 1, result.output
    assert told.count("RuntimeError: no farewell") == 1, result.output


def test_a_package_validates_the_config(house: House, installed: dict[str, str]) -> None:
    refused = house.stack("Thing('a')", env=installed, config={"house:region": "nowhere"}).up()
    assert refused.code != 0
    assert "house:region value {nowhere} has a problem: is no region" in refused.output
    assert house.calls("create starts") == []


def test_a_config_check_that_can_not_be_loaded_is_named(house: House, installed: dict[str, str]) -> None:
    entry_points = Path(installed["PYTHONPATH"]) / "house-1.0.dist-info" / "entry_points.txt"
    entry_points.write_text("[pulumi.dynamic.configs]\nhouse = house:gone\n")
    result = house.stack("Thing('a')", env=installed).up()
    assert result.code != 0
    assert "the check of the config by 'house', house:gone, can't be loaded" in result.output
    # Pulumi ends with a traceback of the program when a default provider fails.
    assert "host/servicer.py" not in result.output


@pytest.mark.full_length
def test_a_preview_shows_each_changed_property(house: House) -> None:
    stack = house.stack(
        "Thing('a', size=1, retryPolicy={'maxRetries': 2, 'gone': 1},"
        f" auth={{'password': pulumi.Output.secret({SECRET!r}), 'user': 'u'}}, init=True)"
    )
    stack.up()
    stack.program(
        program(
            "Thing('a', size=1, retryPolicy={'maxRetries': 3, 'new': 1},"
            f" auth={{'password': pulumi.Output.secret({SECRET!r} + '!'), 'user': 'u'}})"
        )
    )
    output = stack.preview("--diff").output
    for line in ("~ maxRetries: 2 => 3", "- gone      : 1", "+ new       : 1", '- status     : "FAILED"'):
        assert line in output, output
    assert "~ password: [secret] => [secret]" in output
    assert "size" not in output
    assert SECRET not in output
    assert "[diff: ~auth,retryPolicy,status]" in stack.preview().output


@pytest.mark.full_length
def test_an_immutable_property_causes_a_delete_before_create(house: House) -> None:
    stack = house.stack("Thing('a', place='here', size=1)")
    stack.up()
    stack.program(program("Thing('a', place='there', size=2)"))
    output = stack.preview("--diff").output
    for line in (
        "+-pulumi-python:dynamic/house:Thing: (replace)",
        'place: "here" => "there"',
        "size : 1 => 2",
    ):
        assert line in output, output
    before = len(house.calls("delete"))
    stack.up()
    assert len(house.calls("delete")) == before + 1
    order = [line["what"] for line in house.every_call() if line["what"] in ("delete", "create starts")]
    assert order == ["create starts", "delete", "create starts"]


@pytest.mark.full_length
def test_a_preview_knows_the_outputs_that_an_update_keeps(house: House) -> None:
    lines = (
        f"a = Thing('a', size=1, hidden=pulumi.Output.secret({SECRET!r}), derived=None)",
        "Thing('b', copied=a.derived.apply(lambda derived: derived['plain']))",
        "Thing('c', copied=a.status)",
    )
    stack = house.stack(*lines)
    assert "copied" in stack.preview("--diff").output
    stack.up()
    stack.program(program(lines[0].replace("size=1", "size=2"), *lines[1:]))
    output = stack.preview("--diff").output
    assert re.search(r"size *: 1 => 2", output), output
    # Outputs that may change are unknown.
    assert output.count("copied") == 1
    assert 'copied: "VERIFIED" => [unknown]' in output
    assert SECRET not in output


@pytest.mark.full_length
def test_secrets_stay_encrypted_in_all_outputs(house: House) -> None:
    secret = f"pulumi.Output.secret({SECRET!r})"
    arguments = f"auth={{'password': {secret}, 'user': 'u'}}, hidden={secret}"
    stack = house.stack(f"Thing('a', init=True, {arguments})")
    assert stack.up().code != 0
    stack.program(program(f"Thing('a', {arguments})", f"Thing('b', {arguments})"))
    stack.must("up", "--yes", "--skip-preview")
    stack.must("refresh", "--yes", "--skip-preview")
    stack.must("refresh", "--yes", "--skip-preview", env={"HOUSE_FAILED": "1"})
    outputs = stack.resources()["a"]["outputs"]
    assert outputs["auth"]["user"] == "u"
    assert outputs["derived"]["plain"] == 1
    assert "ciphertext" in outputs["derived"]["token"]
    assert SECRET not in stack.stored()
    assert SECRET in json.dumps(json.loads(stack.must("stack", "export", "--show-secrets").output))


@pytest.mark.parametrize("main", [None, "program"])
def test_the_virtual_environment_is_found_from_the_project(house: House, main: str | None) -> None:
    stack = house.stack("Thing('a')")
    settings = json.loads((stack.directory / "Pulumi.yaml").read_text())
    venv = settings["runtime"]["options"]["virtualenv"]
    (stack.directory / "venv").symlink_to(venv)
    settings["runtime"]["options"]["virtualenv"] = "venv"
    if main:
        settings["main"] = main
        (stack.directory / main).mkdir()
        for each in ("__main__.py", "house.py"):
            (stack.directory / each).rename(stack.directory / main / each)
    stack.write("Pulumi.yaml", json.dumps(settings))
    stack.must("up", "--yes", "--skip-preview")


def test_a_missing_virtual_environment_is_named(house: House) -> None:
    stack = house.stack("Thing('a')")
    stack.must("up", "--yes", "--skip-preview")
    settings = json.loads((stack.directory / "Pulumi.yaml").read_text())
    settings["runtime"]["options"]["virtualenv"] = "nowhere"
    stack.write("Pulumi.yaml", json.dumps(settings))
    result = stack.destroy()
    assert result.code != 0
    assert "There is no virtual environment at" in result.output
