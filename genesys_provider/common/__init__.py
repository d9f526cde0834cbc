"""What targets and sources both need: whose they are, what a run has shown, reading, waiting, the audit."""
