"""The monitor: a page, its history, and metrics with the status of every target and source.

One thread reads the lists (`reading`), one checks health (`health`), one serves (`server`). They share the `fleet`;
the `history` outlives them.
"""
