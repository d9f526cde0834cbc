"""The example with two organizations, on two emulators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.cloud import CLIENT_SECRET, PASSWORD, SIGNING_SECRET, Cloud
from tests.support.engine import OWN_HOST, ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engine import StackMaker

EXAMPLE = ROOT / "examples" / "two-regions"


def test_the_same_targets_in_two_organizations(cloud: Cloud, tmp_path: Path, make_stack: StackMaker) -> None:
    program = (EXAMPLE / "__main__.py").read_text()
    with Cloud(tmp_path / "other", beside=cloud) as other:
        config: dict[str, str] = {}
        secrets: dict[str, str] = {}
        for place, each in {"eu": cloud, "us": other}.items():
            config |= {
                f"{place}:apiUrl": each.emulator.url,
                f"{place}:loginUrl": each.emulator.url,
                f"{place}:caFile": str(each.gateway.ca_file),
                f"{place}:gateway": each.gateway.url,
                f"{place}:clientId": "dev-client",
            }
            secrets |= {
                f"{place}:clientSecret": CLIENT_SECRET,
                f"{place}:gatewayPassword": PASSWORD,
                f"{place}:signingSecret": SIGNING_SECRET,
            }
        stack = make_stack(program, config=config, secrets=secrets, host=OWN_HOST)
        result = stack.up()
        assert result.code == 0, result.output
        assert sorted(cloud.living()) == ["eu-conversations", "eu-queues"]
        assert sorted(other.living()) == ["us-conversations", "us-queues"]
        assert stack.destroy().code == 0
        assert (cloud.living(), other.living()) == ({}, {})
