"""The monitor: a page, its history and metrics of what Genesys Cloud thinks of every target and source.

One thread reads (`reading`), one checks health (`health`), one serves (`server`). What they know in common is the
`fleet`; what outlives them, the `history`.
"""
