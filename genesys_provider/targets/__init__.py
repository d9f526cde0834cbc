"""The domain: what a target is, and what can be done with one. It knows nothing of Pulumi."""
