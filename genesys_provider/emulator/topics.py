"""A few dozen notification topics, in the form of `GET /api/v2/notifications/availabletopics`.

The templates are real [G]. Their transports are only published for a few of them, so these are [C]: that all other
topics are on all transports, the permissions that they need, and which are in preview.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

_ON_ALL = (
    "v2.analytics.flow.{id}.aggregates",
    "v2.analytics.queues.{id}.observations",
    "v2.analytics.users.{id}.aggregates",
    "v2.architect.dependencytracking.build",
    "v2.architect.prompts.{id}",
    "v2.architect.prompts.{id}.resources.{id}",
    "v2.audits.entitytype.{id}.entityid.{id}",
    "v2.contentmanagement.workspaces.{id}.documents",
    "v2.conversations.{id}.transcription",
    "v2.flows.outcomes.{id}",
    "v2.flows.{id}",
    "v2.groups.{id}.greetings",
    "v2.operations.events.{id}",
    "v2.outbound.campaigns.{id}",
    "v2.outbound.campaigns.{id}.progress",
    "v2.outbound.contactlists.{id}",
    "v2.outbound.settings",
    "v2.quality.evaluations",
    "v2.routing.queues.{id}.conversations",
    "v2.routing.queues.{id}.conversations.callbacks",
    "v2.routing.queues.{id}.conversations.calls",
    "v2.routing.queues.{id}.conversations.chats",
    "v2.routing.queues.{id}.conversations.emails",
    "v2.routing.queues.{id}.conversations.messages",
    "v2.routing.queues.{id}.users",
    "v2.telephony.providers.edges.{id}",
    "v2.telephony.providers.edges.trunks.{id}",
    "v2.users.{id}.activity",
    "v2.users.{id}.callforwarding",
    "v2.users.{id}.conversations",
    "v2.users.{id}.conversations.calls",
    "v2.users.{id}.conversations.emails",
    "v2.users.{id}.conversations.messages",
    "v2.users.{id}.conversations.{id}.recordings",
    "v2.users.{id}.geolocation",
    "v2.users.{id}.outofoffice",
    "v2.users.{id}.presence",
    "v2.users.{id}.routingStatus",
    "v2.users.{id}.station",
    "v2.users.{id}.voicemail.messages",
    "v2.users.{id}.workforcemanagement.adherence",
    "v2.workforcemanagement.agents",
)
_ON_EVENTBRIDGE = (
    "v2.detail.events.conversation.{id}.acd.end",
    "v2.detail.events.conversation.{id}.acd.start",
    "v2.detail.events.conversation.{id}.acw",
    "v2.detail.events.conversation.{id}.attributes",
    "v2.detail.events.conversation.{id}.customer.end",
    "v2.detail.events.conversation.{id}.customer.start",
    "v2.detail.events.conversation.{id}.flow.end",
    "v2.detail.events.conversation.{id}.flow.start",
    "v2.detail.events.conversation.{id}.outbound",
    "v2.detail.events.conversation.{id}.user.end",
    "v2.detail.events.conversation.{id}.user.start",
    "v2.detail.events.conversation.{id}.voicemail.end",
    "v2.detail.events.conversation.{id}.voicemail.start",
)
_ON_WEBSOCKETS = (
    "v2.system.no_longer_subscribed.{id}",
    "v2.system.socket_closing",
    "v2.system.token_revoked.{id}",
)
_IN_PREVIEW = frozenset({"v2.outbound.settings", "v2.workforcemanagement.agents"})

_TRANSPORTS = {
    **dict.fromkeys(_ON_ALL, "All"),
    **dict.fromkeys(_ON_EVENTBRIDGE, "EventBridge"),
    **dict.fromkeys(_ON_WEBSOCKETS, "Websocket"),
}


def topics(asked: Collection[str], *, preview: bool) -> list[dict[str, Any]]:
    """The topics, with their ids and the requested fields; those in preview only with `preview`."""
    whole = [_topic(each) for each in sorted(_TRANSPORTS) if preview or each not in _IN_PREVIEW]
    return [{name: topic[name] for name in topic if name == "id" or name in asked} for topic in whole]


def _topic(template: str) -> dict[str, Any]:
    permission = f"{template.split('.')[1]}:{template.split('.')[1]}:view"
    return {
        "id": template,
        "description": f"Events of {template}",
        "transports": [_TRANSPORTS[template]],
        "visibility": "Preview" if template in _IN_PREVIEW else "Public",
        "enforced": True,
        "requiresPermissions": [permission],
        "permissionDetails": [{"type": "requiresPermissions", "permissions": [permission], "enforced": True}],
        "schema": {"type": "object"},
        "publicApiTemplateUriPaths": [],
        "topicParameters": ["id"] * template.count("{id}"),
    }


def matches(template: str, topic: str) -> bool:
    """Whether a topic, with actual ids or with `{id}` itself, matches a template."""
    pattern = re.escape(template).replace(re.escape("{id}"), r"[^.]+")
    return re.fullmatch(pattern, topic) is not None
