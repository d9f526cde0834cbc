"""An API gateway that puts events on a bus, and a target whose endpoint URL is an output of the gateway.

A preview of a new stack does not know the URL yet, so it is checked during the `up`.

The stack's config, besides that of Genesys Cloud (Pulumi takes names with `token` for secrets, so `--plaintext`):

    pulumi config set aws:region eu-central-1
    pulumi config set --plaintext tokenUrl …
    pulumi config set --plaintext tokenIssuer …
    pulumi config set clientId …
    pulumi config set --secret clientSecret …
    pulumi config set --secret signingSecret …
"""

import json

import pulumi
import pulumi_aws as aws

from genesys_provider import EventBridgeTarget, GatewaySync, OAuth2Auth

config = pulumi.Config()


def role(name: str, service: str, statement: pulumi.Input[str]) -> aws.iam.Role:
    """A role for a service, with one policy."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    made = aws.iam.Role(name, assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    aws.iam.RolePolicy(name, role=made.id, policy=statement)
    return made


bus = aws.cloudwatch.EventBus("genesys")
api = aws.apigatewayv2.Api("genesys", protocol_type="HTTP")
aws.apigatewayv2.Stage("genesys", api_id=api.id, name="$default", auto_deploy=True)

# Events: they need a token of the issuer, and go directly to the bus.
put_events = aws.apigatewayv2.Integration(
    "events",
    api_id=api.id,
    integration_type="AWS_PROXY",
    integration_subtype="EventBridge-PutEvents",
    credentials_arn=role(
        "put-events",
        "apigateway.amazonaws.com",
        pulumi.Output.json_dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus.arn}],
            }
        ),
    ).arn,
    payload_format_version="1.0",
    request_parameters={
        "EventBusName": bus.name,
        "Source": "genesys.cloud",
        "DetailType": "GenesysCloudEvent",
        "Detail": "$request.body",
    },
)
authorizer = aws.apigatewayv2.Authorizer(
    "token",
    api_id=api.id,
    authorizer_type="JWT",
    identity_sources=["$request.header.Authorization"],
    jwt_configuration={"issuer": config.require("tokenIssuer"), "audiences": [config.require("clientId")]},
)
events = aws.apigatewayv2.Route(
    "events",
    api_id=api.id,
    route_key="POST /v1/genesys/events",
    authorization_type="JWT",
    authorizer_id=authorizer.id,
    target=put_events.id.apply("integrations/{}".format),
)

# Syncs: a function checks their signature.
webhook = aws.lambda_.Function(
    "webhook",
    runtime="python3.13",
    handler="webhook.handler",
    code=pulumi.AssetArchive({"webhook.py": pulumi.FileAsset("webhook.py")}),
    environment={"variables": {"SIGNING_SECRET": config.require_secret("signingSecret")}},
    role=role(
        "webhook",
        "lambda.amazonaws.com",
        json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "arn:aws:logs:*:*:*"}],
            }
        ),
    ).arn,
)
aws.lambda_.Permission(
    "webhook",
    function=webhook.name,
    action="lambda:InvokeFunction",
    principal="apigateway.amazonaws.com",
    source_arn=pulumi.Output.concat(api.execution_arn, "/*"),
)
syncs = aws.apigatewayv2.Route(
    "syncs",
    api_id=api.id,
    route_key="POST /webhooks/genesys/targets",
    target=aws.apigatewayv2.Integration(
        "syncs",
        api_id=api.id,
        integration_type="AWS_PROXY",
        integration_uri=webhook.arn,
        payload_format_version="2.0",
    ).id.apply("integrations/{}".format),
)

target = EventBridgeTarget(
    "conversations",
    endpoint_url=pulumi.Output.concat(api.api_endpoint, "/v1/genesys/events"),
    event_types=["CONVERSATION_STARTED", "CONVERSATION_ENDED"],
    auth=OAuth2Auth(
        config.require("clientId"), config.require_secret("clientSecret"), config.require("tokenUrl")
    ),
    # The route must exist before Genesys Cloud verifies the endpoint.
    opts=pulumi.ResourceOptions(depends_on=[events]),
)
GatewaySync(
    "conversations",
    target_id=target.id,
    revision=target.revision,
    webhook_url=pulumi.Output.concat(api.api_endpoint, "/webhooks/genesys/targets"),
    signing_secret=config.require_secret("signingSecret"),
    opts=pulumi.ResourceOptions(depends_on=[syncs]),
)

pulumi.export("endpoint", target.endpoint_url)
pulumi.export("status", target.status)
