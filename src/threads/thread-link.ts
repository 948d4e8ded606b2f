import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { type Numbers, newRing, type RingMemory, RingReader, RingWriter } from './ring.ts';

/** One end of a link, to be handed to the thread that it is for; `port` has to be transferred. */
export type LinkEnd = { port: MessagePort; outgoing: RingMemory; incoming: RingMemory };

/** Both ends of a link whose rings have so many bytes each, powers of two. */
export function newLinkEnds(toWorkerBytes: number, fromWorkerBytes: number): { own: LinkEnd; worker: LinkEnd } {
  const { port1, port2 } = new MessageChannel();
  const [to, from] = [newRing(toWorkerBytes), newRing(fromWorkerBytes)];
  return {
    own: { port: port1, outgoing: to, incoming: from },
    worker: { port: port2, outgoing: from, incoming: to },
  };
}

/** A record that was read: its memory is the writer's again when the reader goes on. */
export type MailRecord = { kind: number; at: number; bytes: number; memory: Numbers };

/**
 * One end of the way between two threads: a ring of records each way. A thread that sleeps is woken
 * by an empty message, once, and one that is awake by nothing. What is seldom said and has no fixed
 * shape goes as a message, and keeps its place among the records.
 */
export class ThreadLink {
  readonly #port: MessagePort;
  readonly #out: RingWriter;
  readonly #in: RingReader;
  /** Messages that came before the record that calls for them. */
  readonly #objects: unknown[] = [];
  readonly #record: { kind: number; at: number; bytes: number; memory: Numbers };

  /** @param onWake The other end has something to say; not called by what this end reads itself. */
  constructor({ port, outgoing, incoming }: LinkEnd, onWake: () => void) {
    this.#port = port;
    this.#out = new RingWriter(outgoing);
    this.#in = new RingReader(incoming);
    this.#record = { kind: 0, at: 0, bytes: 0, memory: this.#in.memory };
    port.on('message', (message: unknown) => {
      if (message !== wakeUp) this.#objects.push(message);
      onWake();
    });
  }

  /** The memory for what `begin` made room for. */
  get memory(): Numbers {
    return this.#out.memory;
  }

  /** Whether what was said waits for room: no more should be said before it is gone. */
  get isFull(): boolean {
    return this.#out.isFull;
  }

  /** A record has no more bytes than this. */
  get largestBytes(): number {
    return this.#out.largestBytes;
  }

  /** Begins a record; see `RingWriter.begin`. Kinds are from 0 on. */
  begin(kind: number, bytes: number): number {
    return this.#out.begin(kind, bytes);
  }

  /** Ends the record; the other side sees it when it looks. */
  commit(): void {
    this.#out.commit();
  }

  /** Says something of any shape that can be cloned, in its place among the records. */
  post(message: unknown): void {
    this.#port.postMessage(message);
    this.begin(objectKind, 0);
    this.commit();
  }

  /** Sends on what waits for room, and wakes the other side if it sleeps. */
  wake(): void {
    if (this.#out.isFull) this.#out.flush();
    if (this.#out.claimWake()) this.#port.postMessage(wakeUp);
  }

  /**
   * Reads all that is there; returns whether there was anything.
   *
   * @param onRecord For records; they may be looked at until it returns.
   * @param onObject For what was posted.
   */
  read(onRecord: (record: MailRecord) => void, onObject: (message: unknown) => void): boolean {
    const incoming = this.#in;
    const record = this.#record;
    let at = incoming.next();
    if (at < 0) return false;
    for (; at >= 0; at = incoming.next()) {
      if (incoming.kind === objectKind) {
        onObject(this.#nextObject());
        continue;
      }
      record.kind = incoming.kind;
      record.at = at;
      record.bytes = incoming.bytes;
      onRecord(record);
    }
    return true;
  }

  /**
   * This thread looks no more unless it is woken; false when something has come meanwhile, and it
   * must.
   */
  sleep(): boolean {
    return this.#in.sleep();
  }

  /** This thread looks by itself: the other one need not wake it. */
  stayAwake(): void {
    this.#in.wake();
  }

  /** The port alone does not keep its thread alive. */
  unref(): void {
    this.#port.unref();
  }

  close(): void {
    this.#port.close();
  }

  #nextObject(): unknown {
    if (this.#objects.length > 0) return this.#objects.shift();
    for (;;) {
      // It was posted before its record was written: it is there.
      const { message } = receiveMessageOnPort(this.#port)!;
      if (message !== wakeUp) return message;
    }
  }
}

const wakeUp = null;
/** No kind that a caller has. */
const objectKind = 0x7fffffff;
