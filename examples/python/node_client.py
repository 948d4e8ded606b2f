#!/usr/bin/env python3
"""Speaks to an inference node itself: leases a slot, plays a WAV to it, prints the phones and the final.

Needs Python 3.9, `grpcio`, and what `grpcio-tools` makes of the contract:

    pip install grpcio grpcio-tools
    mkdir -p stubs && python3 -m grpc_tools.protoc -I proto --python_out=stubs --grpc_python_out=stubs proto/speechfb/v1/inference.proto

    npx speechfb serve --role inference --node-listen 127.0.0.1:8091
    PYTHONPATH=stubs node_client.py clip.wav --node 127.0.0.1:8091 --words "the:DH AH, DH IY" "leader:L IY D ER"

A node scores phones; a gateway has the lexicon. Each word is given with its pronunciations, ARPAbet without stress,
separated by commas.
"""
import argparse
import json
import queue
import sys
import threading
import time
import wave

try:
    import grpc
    from speechfb.v1 import inference_pb2 as pb
    from speechfb.v1 import inference_pb2_grpc
except ImportError as error:
    raise SystemExit(f"this client needs grpcio and the stubs that its first lines make: {error}")

MINOR = 1
FRAME_MS = 20
PATIENCE_S = 20


def read_wav(path, rate):
    """16-bit mono samples as little-endian bytes."""
    with wave.open(path, "rb") as wav:
        shape = (wav.getsampwidth(), wav.getnchannels(), wav.getframerate())
        if shape != (2, 1, rate):
            raise SystemExit(f"{path}: this node takes 16 bits, mono, {rate} Hz; the file has {shape}")
        return wav.readframes(wav.getnframes())


def word_of(given):
    text, _, phones = given.partition(":")
    variants = [" ".join(variant.split()) for variant in phones.split(",") if variant.strip()]
    if not text or not variants:
        raise SystemExit(f'"{given}" is not "word:PH ON ES, OTHER PH ON ES"')
    return pb.Word(text=text, variants=variants, source="given")


class Trunk:
    """One stream to a node. Items go out as they come, one in a message; several may share one."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        self.outgoing = queue.Queue()
        self.incoming = queue.Queue()
        stub = inference_pb2_grpc.InferenceServiceStub(self.channel)
        self.call = stub.Trunk(iter(self.outgoing.get, None))
        threading.Thread(target=self._listen, daemon=True).start()
        self.say(hello=pb.GatewayHello(minor=MINOR, gateway="node_client.py"))

    def say(self, **item):
        self.outgoing.put(pb.TrunkRequest(items=[pb.GatewayItem(**item)]))

    def _listen(self):
        try:
            for response in self.call:
                for item in response.items:
                    self.incoming.put((item.WhichOneof("item"), item))
        except grpc.RpcError as error:
            self.incoming.put(("lost", f"{error.code().name}: {error.details()}"))
        else:
            self.incoming.put(("lost", "the node ended the trunk"))

    def next(self, timeout=PATIENCE_S):
        """The next item: which one, and its message. Items of a later minor have no name, and are passed over."""
        while True:
            try:
                name, item = self.incoming.get(timeout=timeout)
            except queue.Empty:
                raise SystemExit(f"the node has said nothing for {timeout} s")
            if isinstance(item, str):
                raise SystemExit(f"the trunk is lost: {item}")
            if name is not None:
                return name, getattr(item, name)

    def until(self, *names):
        while True:
            name, value = self.next()
            if name in names:
                return name, value

    def close(self):
        self.outgoing.put(None)
        self.call.cancel()
        self.channel.close()


def lease_slot(trunk):
    trunk.say(acquire=pb.AcquireLease(request=1, deadline_ms=5000))
    name, answer = trunk.until("granted", "refused")
    if name == "refused":
        raise SystemExit(f"the node grants no slot: {answer.reason}")
    return answer.lease


def play(trunk, utterance, sound, rate, window, lease, renew_s):
    """Sends the sound as far as there is credit for it; what comes meanwhile is printed."""
    step = 2 * rate * FRAME_MS // 1000
    credit = window
    sent = 0
    renewed = time.monotonic()
    final = None
    is_finished = False
    while final is None:
        while sent < len(sound) and credit >= step // 2:
            trunk.say(sound=pb.Sound(utterance=utterance, s16le=sound[sent : sent + step]))
            credit -= step // 2
            sent += step
        if sent >= len(sound) and not is_finished:
            trunk.say(finish=pb.FinishUtterance(utterance=utterance))
            is_finished = True
        if time.monotonic() - renewed > renew_s:
            trunk.say(renew=pb.RenewLeases(leases=[lease]))
            renewed = time.monotonic()
        name, value = trunk.next()
        if name == "credit":
            credit += value.samples
        elif name == "feedback":
            print_feedback(value)
        elif name == "result":
            final = json.loads(value.result_json)
        elif name == "failed":
            raise SystemExit(f"the utterance failed: {value.message} [{value.code or 'internal'}]")
        elif name == "lost":
            raise SystemExit("the lease was lost")
    return final


def print_feedback(feedback):
    phones = json.loads(f"[{feedback.phones_json}]")
    told = [f"{one['phoneme']} {round(one['accuracy'])}" for one in phones if one["status"] == "final" and one["accuracy"] is not None]
    if told:
        print(f"{feedback.audio_ms / 1000:6.2f} s  {'  '.join(told)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("file", help="a WAV file at the rate of the node's model")
    parser.add_argument("--node", default="127.0.0.1:8091")
    parser.add_argument("--words", nargs="+", required=True, metavar="WORD:PHONES", help="what is read")
    args = parser.parse_args()
    words = [word_of(given) for given in args.words]
    trunk = Trunk(args.node)
    _, hello = trunk.until("hello")
    model = hello.model
    print(f"node: {model.name} {model.version}, {hello.slots} slots, minor {hello.minor}")
    sound = read_wav(args.file, model.sample_rate)
    lease = lease_slot(trunk)
    print(f"lease: {lease}")
    trunk.say(open=pb.OpenUtterance(utterance=1, lease=lease, words=words, emit_interval_ms=100))
    renew_s = hello.lease_ttl_ms / 5000
    final = play(trunk, 1, sound, model.sample_rate, hello.window_samples, lease, renew_s)
    for word in final["words"]:
        phones = " ".join(phone["phoneme"] for phone in word["phonemes"])
        print(f"word: {word['text']} {round(word['accuracy'])} ({phones})")
    print(f"final: pronunciation {round(final['scores']['pronunciation'])}")
    trunk.say(release=pb.ReleaseLease(lease=lease))
    # What was said before is sent first.
    trunk.until("load")
    trunk.close()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
