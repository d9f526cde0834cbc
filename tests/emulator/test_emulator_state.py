"""The state file: what survives SIGTERM and SIGKILL."""

from __future__ import annotations

import signal
import stat
from typing import TYPE_CHECKING

import httpx
import pytest

from genesys_provider.emulator import EmulatorServer, EmulatorSettings, StateFileError
from tests.emulator.emulated import BASIC, PENDING, TARGETS, Api, body
from tests.support.process import Service

if TYPE_CHECKING:
    from pathlib import Path

    from genesys_provider.emulator import GatewayServer

ORGANIZATION = "/api/v2/organizations/me"
CLOSED = "https://127.0.0.1:1/in"


def test_targets_statuses_and_tokens_survive(tmp_path: Path) -> None:
    settings = EmulatorSettings(verification_seconds=0, state=tmp_path / "state.db")
    with EmulatorServer(settings) as server, Api(server.url) as api:
        api.verdict(api.create(CLOSED, **BASIC))
        gone = api.create(CLOSED, "gone")
        api.delete(gone["selfUri"])
        before = api.get(TARGETS).json()
        authorization = api.headers["Authorization"]

    with EmulatorServer(settings) as server, Api(server.url) as api:
        answer = api.get(TARGETS, headers={"Authorization": authorization})

    assert answer.json() == before
    assert before["entities"][0]["status"] == "FAILED"


def test_a_pending_verification_starts_again(
    tmp_path: Path, endpoint: str, gateway_server: GatewayServer
) -> None:
    state = tmp_path / "state.db"
    slow = EmulatorSettings(verification_seconds=60, state=state, ca_file=gateway_server.ca_file)
    with EmulatorServer(slow) as server, Api(server.url) as api:
        target = api.create(endpoint, **BASIC)
        forced = api.create(endpoint, "forced", **BASIC)
        api.post(f"/emulator/targets/{forced['id']}/status", json={"status": PENDING})

    quick = EmulatorSettings(verification_seconds=0, state=state, ca_file=gateway_server.ca_file)
    with EmulatorServer(quick) as server, Api(server.url) as api:
        assert api.verdict(target)["status"] == "VERIFIED"
        assert api.status(forced)["status"] == PENDING, "a forced state stays"


def test_every_answered_change_survives_sigkill(
    tmp_path: Path, endpoint: str, gateway_server: GatewayServer
) -> None:
    state = tmp_path / "state.db"
    arguments = ("emulator", "--port", 0, "--state", state, "--ca-file", gateway_server.ca_file)
    with Service(*arguments, "--verification-seconds", 60) as service, Api(service.url) as api:
        targets = [api.create(endpoint, f"t{number}", **BASIC) for number in range(50)]
        api.put(targets[0]["selfUri"], json=body(endpoint, "renamed", **BASIC))
        api.delete(targets[1]["selfUri"])
        authorization = api.headers["Authorization"]
        service.end(signal.SIGKILL)

    with Service(*arguments, "--verification-seconds", 0) as service, Api(service.url) as api:
        names = [
            target["name"]
            for target in api.get(
                TARGETS, params={"pageSize": 100}, headers={"Authorization": authorization}
            ).json()["entities"]
        ]
        assert names == ["renamed", *(f"t{number}" for number in range(2, 50))]
        assert api.verdict(targets[0])["status"] == "VERIFIED"
        assert service.end() == (0, "")


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    state.touch(0o666)
    with EmulatorServer(EmulatorSettings(state=state)) as server, Api(server.url) as api:
        api.create(CLOSED, **BASIC)
        modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert modes == {0o600}


def test_a_file_serves_one_emulator_at_a_time(tmp_path: Path) -> None:
    settings = EmulatorSettings(state=tmp_path / "state.db")
    with EmulatorServer(settings), pytest.raises(StateFileError, match="does another emulator use it"):
        EmulatorServer(settings)


def test_a_file_that_is_not_a_database(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("not a database\n" * 100)

    with pytest.raises(StateFileError, match="can't be used"):
        EmulatorServer(EmulatorSettings(state=tmp_path / "state.db"))
    with pytest.raises(StateFileError, match="can't be opened"):
        EmulatorServer(EmulatorSettings(state=tmp_path / "nowhere" / "state.db"))


def test_reset_empties_the_file(tmp_path: Path, gateway: httpx.Client) -> None:
    settings = EmulatorSettings(state=tmp_path / "state.db")
    with EmulatorServer(settings) as server, Api(server.url) as api:
        api.create(str(gateway.base_url))
        api.post("/emulator/reset")

    with EmulatorServer(settings) as server, Api(server.url) as api:
        assert api.get(TARGETS).json()["total"] == 0


def test_the_organization_survives_a_restart_and_a_reset(tmp_path: Path) -> None:
    settings = EmulatorSettings(state=tmp_path / "state.db")
    seen = []
    for _ in range(2):
        with EmulatorServer(settings) as server, Api(server.url) as api:
            seen.append(api.get(ORGANIZATION).json()["id"])
            api.post("/emulator/reset")
            seen.append(api.get(ORGANIZATION).json()["id"])
    with EmulatorServer(EmulatorSettings()) as server, Api(server.url) as api:
        other = api.get(ORGANIZATION).json()["id"]

    assert len(set(seen)) == 1
    assert other not in seen


def test_the_organization_id_can_be_set(tmp_path: Path) -> None:
    wanted = "0b1c6d2e-51a4-4a7e-9f0e-5f7f2d6c1a11"
    settings = EmulatorSettings(state=tmp_path / "state.db", organization_id=wanted)
    with EmulatorServer(settings) as server, Api(server.url) as api:
        assert api.get(ORGANIZATION).json()["id"] == wanted
        assert httpx.get(server.url + ORGANIZATION).status_code == 401
