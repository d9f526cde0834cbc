"""The public integration `amazon-eventbridge-source`: its models, its manager (no pulumi)."""
