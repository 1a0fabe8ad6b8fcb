"""A server that begins an answer at once and never ends it: byte after byte, wherever it is wanted."""

import contextlib
import socket
import ssl
import threading
import time

JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
# By place: what is sent at once, and what is sent over and over after it.
PLACES = {
    "status line": (b"HTTP/1.1 200 O", b"K"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a header": (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
    "chunk extension": (JSON + b"Transfer-Encoding: chunked\r\n\r\n5;", b"a"),
    "chunks": (JSON + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "compressed data": (
        JSON + b"Content-Encoding: gzip\r\nContent-Length: 100000\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\x03",
        b"a",
    ),
    "body": (JSON + b"Content-Length: 100000\r\n\r\n{", b" "),
    "body of an error": (b"HTTP/1.1 500 Oh\r\nContent-Length: 100000\r\n\r\n{", b" "),
    "body of a redirect": (b"HTTP/1.1 302 Go\r\nLocation: /\r\nContent-Length: 100000\r\n\r\n{", b" "),
    "trailers": (JSON + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX:", b"a"),
}


class Trickle:
    """Trickles at one place for as long as anybody listens; used in a `with` block.

    certificate: a file with key and certificate, to be reached by https.
    """

    def __init__(self, place, certificate=None):
        self._start, self._drop = PLACES[place]
        self._context = None
        if certificate:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)

    def __enter__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' * bool(self._context)}://localhost:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.close()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._handle, args=self._server.accept()[:1], daemon=True).start()

    def _handle(self, client):
        with contextlib.suppress(OSError), client:
            if self._context:
                client = self._context.wrap_socket(client, server_side=True)
            client.recv(65536)
            client.sendall(self._start)
            while True:
                client.sendall(self._drop)
                time.sleep(0.001)
