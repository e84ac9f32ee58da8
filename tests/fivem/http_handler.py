"""The game server's HTTP port: `http://host:port/<resource>/<path>` for `SetHttpHandler`."""

import queue
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MOST_BYTES = 5 * 1024 * 1024
ANSWER_TIMEOUT = 30.0
"""Seconds after which a request that a script never answers is given up."""


@dataclass
class IncomingRequest:
    """A request on its way to a script. It is answered from the tick, never from its thread."""

    address: str
    path: str
    method: str
    headers: dict[str, str]
    body: str
    status: int = 0
    sent_headers: dict[str, str] = field(default_factory=dict)
    answer: str = ""
    _done: threading.Event = field(default_factory=threading.Event)

    def respond(self, status: int, headers: dict[str, str], answer: str) -> None:
        """Answer; only the first time counts."""
        if not self._done.is_set():
            self.status, self.sent_headers, self.answer = status, headers, answer
            self._done.set()

    @property
    def is_answered(self) -> bool:
        """Whether the script has answered."""
        return self._done.is_set()

    def wait(self) -> bool:
        """Wait for the answer, in the thread of the connection."""
        return self._done.wait(ANSWER_TIMEOUT)


class GamePort:
    """A listener of its own threads, which put what comes into `incoming` for the next tick."""

    def __init__(self) -> None:
        self.incoming: queue.SimpleQueue[IncomingRequest] = queue.SimpleQueue()
        incoming = self.incoming

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                if length > MOST_BYTES:
                    self.send_error(413)
                    return
                request = IncomingRequest(
                    address="%s:%d" % self.client_address[:2],  # noqa: UP031 - a tuple
                    path=self.path,
                    method=self.command,
                    headers=dict(self.headers.items()),
                    body=self.rfile.read(length).decode("latin-1"),
                )
                incoming.put(request)
                if not request.wait():
                    self.send_error(504)
                    return
                body = request.answer.encode("latin-1")
                self.send_response(request.status)
                for name, value in request.sent_headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815 - names of the library

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Keep the tests quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        ).start()

    def close(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
