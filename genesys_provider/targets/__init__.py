"""The domain of targets: what a target is and what can be done with it. Independent of Pulumi."""
