import { randomUUID } from 'node:crypto';
import type { ClientEnd } from '../../client/close-outcome.ts';
import { DialectClient } from '../../client/dialect-client.ts';
import type { OpenLink, SimulatedDevice } from '../../client/link/link.ts';
import type { Clock, Timers } from '../../clock/wheel.ts';
import type { ConnectRequest, Dialect } from '../../dialects/dialect.ts';
import type { EncodedSound } from '../../dialects/sound.ts';
import type { SessionMeter } from '../meter/session-meter.ts';
import type { SpokenText } from '../meter/spoken-text.ts';
import type { Clip } from '../scenario/clips.ts';

/** Another dialect than speechfb.v1, and what all learners who speak it share. */
export type SpokenDialect = {
  dialect: Dialect;
  /** The clips as its messages, and what they say. */
  sounds: readonly EncodedSound[];
  texts: readonly SpokenText[];
  /** A learner's links to where a request leads, over its network where that is simulated. */
  links(request: ConnectRequest, caller: { learner: number; device: SimulatedDevice | undefined }): OpenLink;
};

type DialectSessionOptions = {
  spoken: SpokenDialect;
  clip: Clip;
  learner: number;
  language: string;
  frameMs: number;
  /** Most sound that the app lets wait in its socket, ms. */
  appBufferMs: number;
  device: SimulatedDevice | undefined;
  clock: Clock;
  timers: Timers;
  meter(): SessionMeter;
  onHeard(): void;
  onSessionError(text: string, kind: string): void;
  onEnd(end: ClientEnd): void;
};

/** The session of one learner with a server of another dialect, measured. */
export function openDialectSession(options: DialectSessionOptions): DialectClient {
  const { spoken, clip, learner, language, frameMs, device, clock, timers, meter, onHeard, onSessionError, onEnd } =
    options;
  const { dialect } = spoken;
  const { sampleRateHz } = dialect.audio;
  const bytesAMs = (spoken.sounds[0]?.messageBytes ?? 0) / frameMs;
  return new DialectClient({
    dialect,
    session: { sampleRateHz, language, reference: { text: clip.text }, session: randomUUID() },
    links: (request) => spoken.links(request, { learner, device }),
    frameMs,
    clock,
    timers,
    dropAboveBytes: options.appBufferMs * bytesAMs,
    onReady: (atMs) => meter().ready(atMs),
    onHeard: (heard, { atMs, downlinkMs }) => {
      meter().heard(heard, atMs, downlinkMs);
      onHeard();
    },
    onError: ({ code, message }) =>
      onSessionError(`${code === undefined ? '' : `${code}: `}${message}`, `error ${code ?? message}`),
    onNotUnderstood: (problem, message) =>
      onSessionError(`not_understood: ${problem}: ${message}`, `not_understood: ${problem}`),
    onCarried: (frame, atMs, lateMs) => meter().frameCarried(frame, atMs, lateMs),
    onRoundTrip: (ms) => meter().roundTrip(ms),
    onEnd,
  });
}
