"""A source in Genesys Cloud, the event bus with its name in AWS, and a queue that receives its events.

The bus can only be created once the source is active, which is when `EventBridgeSource` returns. Since the bus uses
the source's output `event_source_name`, Pulumi creates the bus after the source and deletes it before the source.

An active source whose bus is missing loses its events, and AWS drops it after two weeks.
"""

import json

import pulumi
import pulumi_aws as aws

from genesys_provider import EventBridgeSource

source = EventBridgeSource(
    "contact-centre",
    aws_account_id=aws.get_caller_identity_output().account_id,
    aws_region=aws.get_region_output().region,
    # The suffix of the event source's name, which must be unique in this account and region.
    event_source_suffix=f"{pulumi.get_project()}-{pulumi.get_stack()}",
    topics=["v2.routing.queues.{id}.conversations", "v2.users.{id}.presence"],
)
bus = aws.cloudwatch.EventBus(
    "contact-centre",
    # AWS requires both to be the full name of the event source.
    name=source.event_source_name,
    event_source_name=source.event_source_name,
)

queue = aws.sqs.Queue("contact-centre")
rule = aws.cloudwatch.EventRule(
    "all",
    event_bus_name=bus.name,
    event_pattern=json.dumps({"source": [{"prefix": "aws.partner/genesys.com"}]}),
)
aws.sqs.QueuePolicy(
    "contact-centre",
    queue_url=queue.url,
    policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sqs:SendMessage",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Resource": queue.arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": rule.arn}},
                }
            ],
        }
    ),
)
aws.cloudwatch.EventTarget("all", event_bus_name=bus.name, rule=rule.name, arn=queue.arn)

pulumi.export("eventSource", source.event_source_name)
pulumi.export("bus", bus.name)
pulumi.export("queue", queue.url)
