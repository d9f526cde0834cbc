"""The host's parts for Windows, as far as other systems can test them; nobody has run them there."""

from __future__ import annotations

import socket
import threading

from genesys_provider.host.lifetime import until_unreachable


def test_the_watch_of_a_connection_ends_with_the_engine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as engine:
        watch = threading.Thread(target=until_unreachable, args=(f"127.0.0.1:{engine.getsockname()[1]}",))
        watch.start()
        # The engine closes connections that are idle for long; the watch continues with another one.
        for _ in range(2):
            connection, _ = engine.accept()
            connection.sendall(b"settings")
            connection.close()
        connection, _ = engine.accept()
        assert watch.is_alive()
    connection.close()
    watch.join()
