"""What targets and sources share: ownership, the state of a run, reading, writing, waiting, the audit trail."""
