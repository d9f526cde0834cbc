"""For any input, the check of a source gives clear faults on the right paths, or a source that the API accepts.

The client's model and the emulator share no code, and refuse the same properties.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from genesys_provider.common.faults import faults_of
from genesys_provider.emulator.judge import broken_rules_of_schema
from genesys_provider.resources import source_properties, source_rules
from genesys_provider.resources.properties import own
from genesys_provider.resources.source_provider import EventBridgeSourceProvider
from genesys_provider.sources.models import INTEGRATION_TYPE, Source, SourceConfig
from genesys_provider.sources.vocabulary import wanted_status
from tests.properties.test_bad_input import assert_faults_are_clear, check, new_id, without_marks
from tests.support import property_strategies as drawn
from tests.support.thoroughness import COUNTED, COUNTS, LIMIT, examples

if TYPE_CHECKING:
    from genesys_provider.client.api import GenesysClient

pytestmark = pytest.mark.timeout(LIMIT)

SOURCES = EventBridgeSourceProvider()
PATHS = re.compile(rf"({'|'.join(drawn.SOURCE_FIELDS)})|topics\[\d+\]")
IN_THE_API = {
    "awsAccountId": "awsAccountId",
    "awsRegion": "awsAccountRegion",
    "eventSourceSuffix": "eventSourceSuffix",
    "topics": "eventFilter",
}


@examples(75, 1500)
@given(drawn.mutated(drawn.valid_sources))
def test_sources_are_checked_clearly(properties: dict[str, Any]) -> None:
    assert_faults_are_clear(check(SOURCES, properties), properties, PATHS, "source")


@examples(40)
@given(st.lists(drawn.junk, min_size=1, max_size=10), st.data())
def test_nothing_but_junk(values: list[Any], data: st.DataObject) -> None:
    keys = data.draw(
        st.lists(drawn.unknown_keys | st.sampled_from(drawn.SOURCE_FIELDS), min_size=len(values))
    )
    properties = dict(zip(keys, values, strict=False))
    assert_faults_are_clear(check(SOURCES, properties), properties, PATHS, "source")


def assert_accepted(client: GenesysClient, inputs: dict[str, Any]) -> None:
    """Checks that the API accepts and returns it, and that neither a diff nor a refresh finds a change."""
    config = source_rules.config_from(inputs)
    made = client.create_integration({"name": config.name, "integrationType": {"id": INTEGRATION_TYPE}})
    COUNTS["sources that the API accepted"] += 1
    try:
        client.configure_integration(made["id"], config.payload())
        read = Source.read(client.get_integration(made["id"]), client.get_configuration(made["id"]))
        assert read.visible == config.visible
        # It was not enabled, which does not matter here.
        settled = read.model_copy(
            update={
                "intended": "ENABLED" if config.enabled else "DISABLED",
                "status": wanted_status(enabled=config.enabled),
            }
        )
        outs = without_marks(source_properties.outputs(inputs, settled, organization_id="org"))
        assert not SOURCES.diff(new_id(), outs, inputs).changes
        api_url = inputs["apiUrl"]
        read_back = source_properties.inputs_read(outs, settled, owner=read.owner, api_url=api_url)
        assert read_back == own(inputs)
        client.configure_integration(made["id"], read.put_body(config))
    finally:
        client.delete_integration(made["id"])


@examples(60)
@given(drawn.valid_sources)
def test_a_valid_source_is_accepted(client: GenesysClient, properties: dict[str, Any]) -> None:
    result = check(SOURCES, properties)
    assert not result.failures, [(failure.property, failure.reason) for failure in result.failures]
    assert_accepted(client, result.inputs)


@examples(75, 1500)
@given(drawn.mutated(drawn.valid_sources))
def test_what_passes_the_check_is_accepted(client: GenesysClient, properties: dict[str, Any]) -> None:
    result = check(SOURCES, properties)
    hypothesis.assume(not result.failures and not drawn.holds_unknown(properties))
    assert_accepted(client, result.inputs)


def model_faults(properties: dict[str, Any]) -> set[str]:
    """The properties that the model refuses, by their names in the API."""
    try:
        SourceConfig.model_validate(
            {"name": "n", **{ours: properties[api] for ours, api in IN_THE_API.items() if api in properties}},
            by_alias=True,
            by_name=False,
        )
    except ValidationError as error:
        return {IN_THE_API[fault.path.partition("[")[0]] for fault in faults_of(error)}
    return set()


def emulator_faults(properties: dict[str, Any]) -> set[str]:
    found = broken_rules_of_schema("EventBridgeProperties", properties)
    return {rule.property.partition("[")[0].partition(".")[0] for rule in found}


VALID = {
    "awsAccountId": "012345678901",
    "awsAccountRegion": "us-east-1",
    "eventSourceSuffix": "orders",
    "eventFilter": ["v2.flows.{id}"],
}
NEAR = {
    "awsAccountId": st.from_regex(r"\A[0-9]{10,13}\n?\Z") | st.sampled_from([12, "\u0661" * 12]),
    "awsAccountRegion": st.from_regex(r"\A[a-z]{1,3}(-[a-zA-Z]{0,5}){0,3}-[0-9a]{0,2}\n?\Z"),
    "eventSourceSuffix": st.text("aZ0._-/ \u00e4\n", max_size=70) | st.sampled_from(["a" * 64, "a" * 65]),
    "eventFilter": st.lists(
        drawn.topics
        | st.text("v2.{id}A_-0* \n", max_size=12)
        | st.sampled_from(["v2.flows.{id}", 7, None, []]),
        max_size=4,
    ),
}


@examples(150, 3000)
@given(
    st.fixed_dictionaries({}, optional={name: near | drawn.junk for name, near in NEAR.items()}).filter(
        lambda changed: not drawn.holds_unknown(changed)
    )
)
def test_the_model_and_the_emulator_agree(changed: dict[str, Any]) -> None:
    properties = {**VALID, **changed}
    refused = model_faults(properties)
    assert refused == emulator_faults(properties)
    COUNTED["model and emulator"]["sources refused" if refused else "sources accepted"] += 1
