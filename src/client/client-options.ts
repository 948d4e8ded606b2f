import type { Clock, Timers } from '../clock/wheel.ts';
import type { ClientMessageInput } from '../protocol/client-messages.ts';
import type { ServerEvent } from '../protocol/server-messages.ts';
import type { EventProblem } from '../protocol/server-schema.ts';
import type { RandomStream } from '../stats/random-stream.ts';
import type { ClientEnd } from './close-outcome.ts';
import type { OpenLink } from './link/link.ts';

export type ClientOptions = {
  open: OpenLink;
  /**
   * How many other servers of the service `open` leads to: where one is gone or has no room, as
   * many more are asked before the session is refused. Default 0.
   */
  otherServers?: number;
  start: StartInput;
  clock: Clock;
  timers: Timers;
  random: RandomStream;
  /**
   * Drop a frame instead of sending it while more than this waits in the socket; never, by default.
   */
  dropAboveBytes?: number;
  /** Events may be read some time after they came, several at once: see Inbox. */
  batchedReading?: boolean;
  /**
   * In order. `downlinkMs`: what the event's way down took, where it is known; `framesSent`: by the
   * time that it came.
   */
  onEvent(event: ServerEvent, receivedMs: number, downlinkMs: number | undefined, framesSent: number): void;
  /**
   * A message that is no event of speechfb.v1, or one that may not come now; the session goes on
   * without it.
   */
  onBadMessage(problem: EventProblem): void;
  onDropped?(atMs: number): void;
  /**
   * On a simulated network: the frame reached the server at `atMs`, and was passed on `lateMs`
   * after that.
   */
  onCarried?(firstSample: number, atMs: number, lateMs: number): void;
  onRoundTrip?(ms: number): void;
  onEnd(end: ClientEnd): void;
};

type StartInput = Omit<Extract<ClientMessageInput, { type: 'start' }>, 'type' | 'protocol'>;
