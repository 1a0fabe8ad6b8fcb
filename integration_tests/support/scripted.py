"""A server that answers as a test says, for what the simulator never would: Codat at its oddest.

`ScriptedCodat(answer)` calls `answer(path, query)` for each request; what comes back is a body (JSON, or
bytes as they are), a status with a body, or None for 404. The company list and dataStatus have answers
of their own, until a test gives others.
"""

import email.utils
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from integration_tests.support.connector import read

CONNECTION = "22222222-2222-4222-8222-222222222222"
STAMP = "2024-03-01T00:00:00Z"
SYNCED = "2024-03-10T00:00:00Z"


def company_id(number=1):
    return f"{number:08x}-0000-4000-8000-000000000000"


def company(number=1, source_type="Accounting", **fields):
    """A company of the list, with one connection."""
    connection = {"id": CONNECTION, "integrationId": "i", "integrationKey": "k", "platformName": "Books"}
    connection.update(status="Linked", created=STAMP, sourceType=source_type)
    return {"id": company_id(number), "name": f"Company {number}", "dataConnections": [connection], **fields}


def status(*data_types, sync="s1"):
    """What dataStatus says of data types whose latest Codat sync has ended well."""
    return {
        name: {
            "dataType": name,
            "lastSuccessfulSync": SYNCED,
            "currentStatus": "Complete",
            "latestSyncId": sync,
            "latestSuccessfulSyncId": sync,
        }
        for name in data_types
    }


def page(rows, query, cap=5000, **fields):
    """A page of a list, as Codat's specification has it; `cap` is the server's own limit."""
    since = query.get("query", "").partition("modifiedDate>=")[2][:10]
    rows = [row for row in rows if not since or (row.get("modifiedDate") or "")[:10] >= since]
    number, size = int(query.get("page", 1)), min(int(query.get("pageSize", 100)), cap)
    start = (number - 1) * size
    links = {"current": {"href": "/x"}, **({"next": {"href": "/x"}} if start + size < len(rows) else {})}
    body = {"results": rows[start : start + size], "pageNumber": number, "pageSize": size}
    return {**body, "totalResults": len(rows), "_links": links, **fields}


class ScriptedCodat:
    """Answers on loopback while a `with` block lasts; `asked` has the path and query of each request."""

    def __init__(self, answer, companies=None, data_types=("invoices",)):
        self.answer = answer
        self.companies = [company()] if companies is None else companies
        self.status = status(*data_types)
        self.asked = []

    def __enter__(self):
        codat = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body leave in one packet

            def log_message(self, *_):
                pass

            def do_GET(self):
                parts = urlsplit(self.path)
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                code, body = codat.respond(parts.path, query)
                raw = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response_only(code)
                self.send_header("Date", email.utils.formatdate(usegmt=True))
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @property
    def config(self):
        """A configuration that reads everything from here."""
        url = f"http://localhost:{self._server.server_address[1]}"
        return {"api_key": "test-key-0123456789abcdef0123456789abcdef", "base_url": url}

    def respond(self, path, query):
        """The status and body for one request, noted among those that were asked."""
        path = unquote(path)
        self.asked.append((path, query))
        found = self.answer(path, query)
        if found is None and path == "/companies":
            found = page(self.companies, query)
        if found is None and path.endswith("/dataStatus"):
            found = self.status
        if found is None:
            found = 404, {"statusCode": 404, "error": "Not found", "correlationId": "0"}
        return found if isinstance(found, tuple) else (200, found)

    def asked_for(self, ending):
        """The queries that were asked of paths with this ending."""
        return [query for path, query in self.asked if path.endswith(ending)]

    def read(self, *names, state=None, mode="incremental", **options):
        """Read streams from here in process, as `connector.read` does; no answer may break the connector."""
        said = read({**self.config, **options}, *names, state=state, mode=mode)
        assert not [one for one in said.logs if "an error of its own" in one]
        return said
