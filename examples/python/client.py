#!/usr/bin/env python3
"""A speechfb.v1 client: plays a WAV to a server as a phone would, and prints what comes back.

Needs only Python 3.9 and `websockets` 10 or newer (pip install websockets; Debian: python3-websockets). Written
from docs/protocol.md.

    client.py clip.wav --text "The conference will begin when the leader arrives."
    client.py clip.wav --text "..." --cut-at 1.5        # the network drops for a moment, the session is resumed
    client.py clip.wav --text "..." --times 2           # read twice in one session, by next_utterance
"""
import argparse
import array
import asyncio
import json
import random
import struct
import sys
import time
import wave
import zlib

try:
    import websockets

    WEBSOCKETS = int(websockets.__version__.split(".")[0])
except ImportError:
    raise SystemExit("this client needs websockets 10 or newer: pip install websockets")
if WEBSOCKETS < 10:
    raise SystemExit(f"this client needs websockets 10 or newer, not {websockets.__version__}: pip install -U websockets")

SUBPROTOCOL = "speechfb.v1"
FRAME_MS = 20
RETRANSMIT = 4


def read_wav(path):
    """16-bit mono samples as little-endian bytes, and the rate."""
    with wave.open(path, "rb") as wav:
        if wav.getsampwidth() != 2:
            raise SystemExit(f"{path}: {8 * wav.getsampwidth()} bits a sample; this client reads 16")
        samples = array.array("h", wav.readframes(wav.getnframes()))
        if sys.byteorder == "big":
            samples.byteswap()
        if wav.getnchannels() > 1:
            count = wav.getnchannels()
            samples = array.array("h", (sum(samples[i : i + count]) // count for i in range(0, len(samples), count)))
        if sys.byteorder == "big":
            samples.byteswap()
        return samples.tobytes(), wav.getframerate()


def pack_frame(seq, first_sample, pcm, flags=0, epoch=0):
    """One binary message: a 24-byte little-endian header, then the samples."""
    return struct.pack("<BBBBIIIQ", 0x53, 1, 0, flags, epoch, seq, zlib.crc32(pcm), first_sample) + pcm


async def connect(url, headers):
    """A socket, by the name that this version of websockets has for headers: 14 calls `extra_headers` `additional_headers`."""
    parameter = "additional_headers" if WEBSOCKETS >= 14 else "extra_headers"
    return await websockets.connect(url, subprotocols=[SUBPROTOCOL], compression=None, **{parameter: headers})


REFUSALS = {
    401: "the server wants a token that it knows: --token",
    403: "the server takes no callers from here",
    421: "the server does not go by the name in this URL",
    429: "too much comes from here; try again later",
    503: "the server is full, or goes away; try again later",
}


def refusal(error):
    """What an upgrade was answered instead of 101; None when there was no answer. websockets has two names for it."""
    status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    if status is None:
        return None
    return f"{REFUSALS.get(status, 'the server opens no stream')} [HTTP {status}]"


class Session:
    """One session over as many sockets as it takes. Frames are kept until they are acknowledged."""

    def __init__(self, args, show, rate):
        self.args, self.show, self.rate = args, show, rate
        self.socket = None
        self.ready = None
        self.last_event_id = 0
        self.unacked = {}  # seq -> (first_sample, pcm); with a store at the server also what another gateway would need
        self.next_utterances = []  # (seq of the frame that follows, utterance_id, message)
        self.durable = None  # whether another gateway can go on with the session; until an ack tells, all is kept
        self.begun = {1: (0, 0)}  # utterance_id -> (seq, sample) where it began, while its final has not come
        self.told = {}  # utterance_id -> what came of it: audio_ms, rev, indices of final phones
        self.url = args.url
        self.moving = False
        self.utterance_id = 1
        self.waiting_for = None  # a finalize or close that has not been answered
        self.finals = asyncio.Queue()
        self.closed = asyncio.Event()
        self.online = asyncio.Event()
        self.failure = None
        self.receiver = None

    async def start(self):
        await self.open(
            {
                "type": "start",
                "protocol": SUBPROTOCOL,
                "audio": {"encoding": "pcm_s16le", "sample_rate": self.rate, "channels": 1, "frame_ms": FRAME_MS},
                "reference": {"text": self.args.text},
                "idempotency_key": f"{random.getrandbits(128):032x}",
            }
        )

    async def open(self, first_message):
        headers = {"Authorization": f"Bearer {self.args.token}"} if self.args.token else {}
        url = self.url + ("&" if "?" in self.url else "?") + "moves=yes"
        if first_message["type"] == "resume":  # named in the URL, so that a full server lets it in
            url += "&resume=" + first_message["session_id"]
        self.socket = await connect(url, headers)
        try:
            await self.socket.send(json.dumps(first_message))
        except websockets.ConnectionClosed:
            pass  # refused before we spoke: the error event says why and waits to be read
        event = json.loads(await self.socket.recv())
        if event["type"] == "error":
            await self.socket.close()
            if event["retryable"] and first_message["type"] == "resume":
                raise OSError(event["message"])
            raise SystemExit(f"refused: {event['message']} [{event['code']}]")
        self.ready = event
        self.last_event_id = max(self.last_event_id, event["event_id"])
        self.show.ready(event)
        await self.resend()
        self.online.set()
        self.receiver = asyncio.ensure_future(self.receive(self.socket))

    async def resend(self):
        """After a resume: what the server has not seen, in the order in which it was first sent."""
        for seq in sorted(seq for seq in self.unacked if seq >= self.ready["next_seq"]):
            await self.resend_next_utterances(seq)
            first_sample, pcm = self.unacked[seq]
            await self.socket.send(pack_frame(seq, first_sample, pcm, RETRANSMIT))
        await self.resend_next_utterances(None)
        if self.waiting_for:
            await self.socket.send(json.dumps(self.waiting_for))

    async def resend_next_utterances(self, before_seq):
        lost = [item for item in self.next_utterances if item[1] > self.ready["utterance_id"]]
        for at_seq, utterance_id, message in lost:
            if before_seq is None or at_seq <= before_seq:
                await self.socket.send(json.dumps(message))
                self.ready["utterance_id"] = utterance_id

    async def receive(self, socket):
        try:
            async for text in socket:
                event = json.loads(text)
                self.last_event_id = max(self.last_event_id, event["event_id"])
                self.take(event)
        except websockets.ConnectionClosedError:
            pass
        self.online.clear()
        if self.moving:
            self.moving = False
            await self.resume(0.0)
        elif socket.close_code in (1000, 1001):
            self.show.line(f"closed: {socket.close_code} {socket.close_reason}")
            self.closed.set()
        elif self.failure:
            self.closed.set()
        else:
            await self.resume()

    def take(self, event):
        kind = event["type"]
        if kind == "ack":
            self.durable = "keep_from" in event
            self.forget(min(event["next_seq"], event.get("keep_from", event["next_seq"])))
        elif kind == "utterance_final":
            self.begun.pop(event["utterance_id"], None)
            self.told.pop(event["utterance_id"], None)
            self.finals.put_nowait(event)
        elif kind in ("phoneme_feedback", "transcript"):
            told = self.told.setdefault(event["utterance_id"], {"audio_ms": 0, "rev": 0, "finals": set()})
            told["audio_ms"] = max(told["audio_ms"], event["audio_ms"])
            told["rev"] = max(told["rev"], event["rev"])
            told["finals"].update(phone["index"] for phone in event.get("phonemes", []) if phone["status"] == "final")
        elif kind == "moving":
            self.url, self.moving = event["resume_at"] or self.args.url, True
            asyncio.ensure_future(self.socket.close())
        elif kind == "error" and not event["retryable"]:
            self.failure = event
        self.show.event(event)

    def forget(self, next_seq):
        for seq in [seq for seq in self.unacked if seq < next_seq]:
            del self.unacked[seq]

    def replay(self):
        """What another gateway has to know: where the oldest text without a final began, and what was told of it."""
        if self.durable is False:
            return {}
        sent = max(self.unacked, default=-1)
        after = (sent + 1, self.unacked[sent][0] + len(self.unacked[sent][1]) // 2) if self.unacked else (0, 0)
        oldest = min(self.begun, default=self.utterance_id + 1)
        seq, sample = self.begun.get(oldest, after)
        told = [
            {"utterance_id": utterance_id, **told, "finals": [[index, index] for index in sorted(told["finals"])]}
            for utterance_id, told in sorted(self.told.items())
        ]
        return {"replay": {"utterance_id": oldest, "epoch": 0, "seq": seq, "sample": sample, "told": told}}

    async def resume(self, delay=0.1):
        deadline = time.monotonic() + self.ready["resume_ttl_ms"] / 1000
        while time.monotonic() < deadline:
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(max(2 * delay, 0.1), 2.0)
            try:
                await self.open(
                    {
                        "type": "resume",
                        "session_id": self.ready["session_id"],
                        "resume_token": self.ready["resume_token"],
                        "last_event_id": self.last_event_id,
                        **({"region": self.ready["region"]} if "region" in self.ready else {}),
                        **self.replay(),
                    }
                )
                return
            except (OSError, websockets.WebSocketException) as error:
                self.show.line(f"no luck yet: {refusal(error) or error}")
        raise SystemExit("the server did not come back within the resume window")

    async def send(self, data):
        """Sends when a socket is there. What a drop swallows is sent again by `resend`."""
        await self.online.wait()
        try:
            await self.socket.send(data)
        except websockets.ConnectionClosed:
            pass

    async def frame(self, seq, first_sample, pcm):
        self.unacked[seq] = (first_sample, pcm)
        await self.send(pack_frame(seq, first_sample, pcm))

    async def next_utterance(self, at_seq, sample, text):
        self.utterance_id += 1
        message = {"type": "next_utterance", "reference": {"text": text}}
        self.begun[self.utterance_id] = (at_seq, sample)
        self.next_utterances.append((at_seq, self.utterance_id, message))
        await self.send(json.dumps(message))

    async def finalize(self, marker):
        self.waiting_for = {"type": "finalize", "marker": marker}
        await self.send(json.dumps(self.waiting_for))
        while True:
            final = await self.finals.get()
            if final["marker"] == marker:
                self.waiting_for = None
                return final

    async def close(self, last_seq):
        self.waiting_for = {"type": "close", "last_seq": last_seq}
        await self.send(json.dumps(self.waiting_for))
        await self.closed.wait()

    def cut(self):
        """As when a phone leaves the network: nothing is said, the socket is just gone."""
        self.online.clear()
        self.socket.transport.abort()


class Show:
    """Prints events for people; every line begins with the place in the audio."""

    def __init__(self, quiet):
        self.quiet = quiet
        self.colour = sys.stdout.isatty()
        self.at_ms = 0
        self.finals = {}

    def line(self, text):
        print(f"{self.at_ms / 1000:7.2f}s  {text}", flush=True)

    def ready(self, event):
        model = event["model"]
        what = "resumed" if event["resumed"] else "ready"
        self.line(f"{what}: {model['name']} {model['version']} on {model['provider']}, next seq {event['next_seq']}")

    def event(self, event):
        self.at_ms = event["audio_ms"]
        kind = event["type"]
        if kind == "phoneme_feedback":
            self.phones(event)
        elif kind == "transcript" and not self.quiet:
            self.line(f"heard: {event['text']}")
        elif kind == "speech" and not self.quiet:
            self.line(f"speech {event['state']} at {event['at_ms'] / 1000:.2f}s")
        elif kind == "utterance_final":
            self.summary(event)
        elif kind == "go_away" and event.get("retry_after_ms") is not None:
            self.line(f"go_away: {event['reason']}, come back in {event['retry_after_ms'] / 1000:.1f}s")
        elif kind in ("error", "go_away", "info", "backpressure"):
            self.line(f"{kind}: {event.get('code', '')} {event.get('message', '')}".rstrip())

    def phones(self, event):
        final = [phone for phone in event["phonemes"] if phone["status"] == "final"]
        for phone in final:
            key = (event["utterance_id"], phone["index"])
            if key in self.finals:
                raise SystemExit(f"phone {key} was said to be final twice")
            self.finals[key] = phone
        if final and not self.quiet:
            self.line("phones: " + "  ".join(self.phone(phone) for phone in final))

    def phone(self, phone):
        score = "--" if phone["accuracy"] is None else f"{phone['accuracy']:.0f}"
        mark = "" if phone["error_type"] == "none" else f" {phone['error_type']}"
        text = f"{phone['phoneme']} {score}{mark}"
        return f"\x1b[31m{text}\x1b[0m" if mark and self.colour else text

    def summary(self, event):
        self.line(f"utterance {event['utterance_id']} is final ({event['reason']}, marker {event['marker']})")
        for name, value in event["scores"].items():
            print(f"          {name:14} {'--' if value is None else format(value, '.0f')}")
        for word in event["words"]:
            print(f"          {word['text']:14} " + "  ".join(self.phone(phone) for phone in word["phonemes"]))


async def play(session, pcm, rate, args):
    """Frames at their due times, counted from the start so that delays do not add up."""
    samples = rate * FRAME_MS // 1000
    pieces = [pcm[i : i + 2 * samples] for i in range(0, len(pcm), 2 * samples)]
    seq = first_sample = 0
    cut_at = args.cut_at
    begun = time.monotonic()
    for reading in range(args.times):
        if reading > 0:
            await session.next_utterance(seq, first_sample, args.text)
        for piece in pieces:
            due = begun + (first_sample / rate + FRAME_MS / 1000) / args.speed
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await session.frame(seq, first_sample, piece)
            seq += 1
            first_sample += len(piece) // 2
            if cut_at is not None and first_sample / rate >= cut_at:
                session.show.line("cutting the socket")
                session.cut()
                cut_at = None
    return seq - 1


async def run(args):
    pcm, rate = read_wav(args.wav)
    session = Session(args, Show(args.quiet), rate)
    try:
        await session.start()
    except (OSError, websockets.WebSocketException) as error:
        if refusal(error):
            raise SystemExit(f"refused: {refusal(error)}")
        raise SystemExit(f"cannot reach {args.url}: {error}\nhint: start the server with: speechfb serve")
    last_seq = await play(session, pcm, rate, args)
    await session.finalize("the end")
    await session.close(last_seq)
    if session.failure:
        raise SystemExit(f"{session.failure['message']} [{session.failure['code']}]")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("wav", help="16-bit WAV, any rate from 8 to 48 kHz")
    parser.add_argument("--text", required=True, help="what is read in it")
    parser.add_argument("--url", default="ws://127.0.0.1:8090/v1/stream")
    parser.add_argument("--token", help="where the server asks for one")
    parser.add_argument("--times", type=int, default=1, help="read it so often, by next_utterance")
    parser.add_argument("--cut-at", type=float, metavar="SECONDS", help="drop the socket here, then resume")
    parser.add_argument("--speed", type=float, default=1.0, help="times real time; the server allows short bursts")
    parser.add_argument("--quiet", action="store_true", help="finals only")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
