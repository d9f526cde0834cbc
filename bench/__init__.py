"""What a fleet of targets costs, against the floor that the engine sets: `python -m bench`.

Every row runs the real Pulumi engine against the emulator in a process of its own. The floor of a row is the same
number of trivial dynamic resources, with comparable inputs, on the same host, engine and backend, plus the time of
a verification where there is one. Floor and measured runs take turns, and of each the best counts.
"""
