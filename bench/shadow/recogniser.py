"""A real recogniser behind `POST /v1/audio/transcriptions`: PocketSphinx 5 with the model that its wheel ships.

Run by `npm run bench shadow`, a process for each search. It says its port on stdout, hears one recording at a time and
ends with its input:

    python3 -m venv ~/.cache/pocketsphinx && ~/.cache/pocketsphinx/bin/pip install pocketsphinx==5.1.1
    ~/.cache/pocketsphinx/bin/python bench/shadow/recogniser.py full

The search is `full`, the three passes of it that are usual, or `one-pass`, the first of them alone.
"""

import json
import os
import sys
import threading
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pocketsphinx import Decoder

SEARCHES = {
    "full": {},
    "one-pass": {"fwdflat": False, "bestpath": False},
}
WAV_HEADER_BYTES = 44
MOST_BODY_BYTES = 10_000_000


class Recogniser:
    """One decoder; what is asked of it meanwhile waits."""

    def __init__(self, search):
        self._lock = threading.Lock()
        self._decoder = Decoder(samprate=16000, loglevel="ERROR", **SEARCHES[search])

    def text_of(self, pcm):
        """The words that one recording of pcm_s16le at 16 kHz is heard as."""
        with self._lock:
            # Each recording by itself: what was heard before must not change what is heard now.
            self._decoder.reinit_feat()
            self._decoder.start_utt()
            if pcm:
                self._decoder.process_raw(pcm, full_utt=True)
            self._decoder.end_utt()
            found = self._decoder.hyp()
            return found.hypstr if found else ""


class Handler(BaseHTTPRequestHandler):
    """Answers as OpenAI's endpoint of transcriptions does, for WAV files of 16 kHz alone."""

    protocol_version = "HTTP/1.1"
    recogniser = None

    def do_POST(self):
        fields = self._fields(self._body())
        if fields is None or "file" not in fields:
            return self._answer(400, {"error": {"message": "no form with a file"}})
        return self._answer(200, {"text": self.recogniser.text_of(fields["file"][WAV_HEADER_BYTES:])})

    def log_message(self, *_):
        pass

    def _body(self):
        """What was posted, of a known length or in chunks."""
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(min(MOST_BODY_BYTES, int(self.headers.get("Content-Length", 0))))
        parts, total = [], 0
        while total < MOST_BODY_BYTES:
            size = int(self.rfile.readline().split(b";")[0], 16)
            parts.append(self.rfile.read(size))
            self.rfile.readline()
            if size == 0:
                break
            total += size
        return b"".join(parts)

    def _fields(self, body):
        kind = self.headers.get("Content-Type", "")
        if not kind.startswith("multipart/form-data"):
            return None
        whole = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
        names = ((part.get_param("name", header="content-disposition"), part) for part in whole.iter_parts())
        return {name: part.get_payload(decode=True) for name, part in names}

    def _answer(self, status, value):
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class Server(ThreadingHTTPServer):
    """Says nothing of callers who are gone before their answer."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    search = sys.argv[1] if len(sys.argv) == 2 else ""
    if search not in SEARCHES:
        sys.exit(f"usage: recogniser.py {'|'.join(SEARCHES)}")
    Handler.recogniser = Recogniser(search)
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    # Whoever started it is gone, however it went.
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
