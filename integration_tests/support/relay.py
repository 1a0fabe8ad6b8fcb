"""A server in front of another: it can answer the first requests with any bytes at all, and speak TLS."""

import contextlib
import datetime as dt
import socket
import ssl
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


class Relay:
    """Passes connections on to a simulator; used in a `with` block.

    answers: what the first requests get instead, byte for byte, before their connection is closed.
    certificate: a file with key and certificate, to be reached by https.
    """

    def __init__(self, sim, answers=(), certificate=None):
        self._sim = sim
        self._answers = list(answers)
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
            if self._answers:
                client.recv(65536)
                client.sendall(self._answers.pop(0))
                return
            with socket.create_connection(("127.0.0.1", int(self._sim.url.rpartition(":")[2]))) as server:
                threading.Thread(target=pump, args=(server, client), daemon=True).start()
                pump(client, server)


def pump(source, target):
    """Pass on what one side says until it says no more."""
    with contextlib.suppress(OSError):
        while some := source.recv(65536):
            target.sendall(some)
        target.shutdown(socket.SHUT_WR)


def self_signed(path):
    """Write a key and a certificate that nobody has signed into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
