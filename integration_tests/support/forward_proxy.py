"""A forward proxy, as companies put between their programs and the world: HTTP, and CONNECT for TLS."""

import base64
import contextlib
import socket
import threading
from urllib.parse import urlsplit

from integration_tests.support.relay import pump

_REFUSED = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class ForwardProxy:
    """Passes on what it is asked for; used in a `with` block.

    heads: what it could read of each request, first line and headers. password: that a user has to
    have, in `Proxy-Authorization`.
    """

    def __init__(self, password=""):
        self._password = password
        self.heads = []

    def __enter__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.close()

    def url(self, credentials=""):
        return f"http://{credentials}{'@' * bool(credentials)}localhost:{self.port}"

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._handle, args=self._server.accept()[:1], daemon=True).start()

    def _handle(self, client):
        with contextlib.suppress(OSError), client:
            head = b""
            while b"\r\n\r\n" not in head:
                more = client.recv(65536)
                if not more:
                    return
                head += more
            text = head.decode("latin-1")
            self.heads.append(text)
            if self._password and base64.b64encode(f"user:{self._password}".encode()).decode() not in text:
                client.sendall(_REFUSED)
                return
            method, target, _ = text.split(" ", 2)
            host = target if method == "CONNECT" else urlsplit(target).netloc
            with socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2]))) as server:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:  # one request a connection: the next one may be for another host
                    path = target.split(host, 1)[1]
                    lines = text.replace(target, path, 1).replace(
                        "Connection: keep-alive", "Connection: close"
                    )
                    server.sendall(lines.encode("latin-1"))
                threading.Thread(target=pump, args=(client, server), daemon=True).start()
                pump(server, client)
