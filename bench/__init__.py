"""Measures what a fleet of targets costs, compared with the floor that the engine sets: `python -m bench`.

Every row runs the real Pulumi engine against the emulator, which has its own process. The floor of a row is the
same number of trivial dynamic resources, with comparable inputs, on the same host, engine and backend, plus the
time of a verification if there is one. Floor and measured runs alternate, and the best of each counts.
"""
