"""A TAP service on this machine, small but real: asynchronous jobs over HTTP that answer with a VOTable."""

import io
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from astropy.io.votable import from_table, writeto
from astropy.table import Table

JOB = """<?xml version="1.0" encoding="UTF-8"?>
<uws:job xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0"
xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1">
<uws:jobId>1</uws:jobId><uws:phase>{phase}</uws:phase><uws:executionDuration>60</uws:executionDuration>
<uws:parameters/><uws:results>{results}</uws:results>{error}</uws:job>"""
RESULT = '<uws:result id="result" xlink:href="{url}/async/1/results/result" xlink:type="simple"/>'
ERROR = '<uws:errorSummary type="fatal" hasDetail="false"><uws:message>no</uws:message></uws:errorSummary>'


class TapService:
    """Answers every query with :attr:`table`, ``delay_s`` after it is started; each request takes ``lag_s``.

    With a :attr:`page` every request is answered with that.
    """

    def __init__(self):
        self.table = Table({"source_id": [1]})
        self.delay_s = self.lag_s = 0.0
        self.page = ""
        self.fails = False
        self.queries = []
        self.started_at = None
        self.deleted = 0
        service = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def _send(self, text, kind="text/xml", status=200, **headers):
                time.sleep(service.lag_s)
                text, status = (service.page, 200) if service.page else (text, status)
                body = text if isinstance(text, bytes) else text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                sent = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
                if "QUERY" in sent:
                    service.queries.append(sent["QUERY"][0])
                if sent.get("PHASE") == ["RUN"]:
                    service.started_at = time.monotonic()
                self._send("", status=303, Location=f"{service.url}/async/1")

            def do_DELETE(self):
                service.deleted += 1
                self._send("")

            def do_GET(self):
                if self.path.endswith("/results/result"):
                    return self._send(service.votable(), "application/x-votable+xml")
                if self.path.endswith("/phase"):
                    return self._send(service.phase, "text/plain")
                return self._send(service.job())

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/tap"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def phase(self):
        if self.started_at is None:
            return "PENDING"
        if time.monotonic() - self.started_at < self.delay_s:
            return "EXECUTING"
        return "ERROR" if self.fails else "COMPLETED"

    def job(self):
        phase = self.phase
        return JOB.format(
            phase=phase,
            results=RESULT.format(url=self.url) if phase == "COMPLETED" else "",
            error=ERROR if phase == "ERROR" else "",
        )

    def votable(self):
        buffer = io.BytesIO()
        writeto(from_table(self.table), buffer)
        status = b'<INFO name="QUERY_STATUS" value="OK"/>'
        return buffer.getvalue().replace(b"<TABLE", status + b"<TABLE", 1)

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def tap():
    service = TapService()
    yield service
    service.close()
