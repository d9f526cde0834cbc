"""The domain of the public integration `amazon-eventbridge-source`. Independent of Pulumi."""
