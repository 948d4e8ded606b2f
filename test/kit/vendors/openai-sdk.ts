import OpenAI from 'openai';
import { OpenAIRealtimeWS } from 'openai/realtime/ws';
import type { RealtimeServerEvent } from 'openai/resources/realtime/realtime';

type EventOf<Type extends RealtimeServerEvent['type']> = Extract<RealtimeServerEvent, { type: Type }>;

/** A caller that uses OpenAI's own SDK, and remembers everything. */
export type OpenaiCaller = {
  readonly realtime: OpenAIRealtimeWS;
  readonly events: RealtimeServerEvent[];
  readonly errors: Error[];
  of<Type extends RealtimeServerEvent['type']>(type: Type): EventOf<Type>[];
  until<Type extends RealtimeServerEvent['type']>(type: Type): Promise<EventOf<Type>>;
  /** Sends 16-bit samples in pieces of 100 ms, at once. */
  speak(samples: Int16Array, rateHz: number): void;
  readonly closed: Promise<{ code: number; reason: string }>;
};

/** Connects as an application would that has been told another base URL; the SDK insists on TLS. */
export async function callOpenai(url: string, key: string, model = 'gpt-realtime-whisper'): Promise<OpenaiCaller> {
  const baseURL = new URL('.', url.replace(/^ws/, 'http')).href;
  const client = new OpenAI({ apiKey: key, baseURL });
  // The certificate of localhost is nobody's but the tests'.
  const realtime = new OpenAIRealtimeWS({ model, options: { rejectUnauthorized: false } }, client);
  const events: RealtimeServerEvent[] = [];
  const errors: Error[] = [];
  const waiting = new Set<() => void>();
  realtime.on('event', (event) => {
    events.push(event);
    for (const look of waiting) look();
  });
  realtime.on('error', (error) => errors.push(error));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    realtime.socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await Promise.race([
    new Promise<void>((resolve) => realtime.socket.on('open', () => resolve())),
    closed.then(() => Promise.reject(errors[0])),
  ]);
  const of: OpenaiCaller['of'] = (type) => events.filter((event): event is EventOf<typeof type> => event.type === type);
  return {
    realtime,
    events,
    errors,
    of,
    until: (type) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const [found] = of(type);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void closed.then(({ code, reason }) => reject(new Error(`closed (${code} ${reason}) before a ${type}`)));
      }),
    speak(samples, rateHz) {
      const piece = rateHz / 10;
      for (let at = 0; at < samples.length; at += piece) {
        const bytes = Buffer.from(samples.slice(at, at + piece).buffer);
        realtime.send({ type: 'input_audio_buffer.append', audio: bytes.toString('base64') });
      }
    },
    closed,
  };
}

/** A wish for a transcription session, in the SDK's own types. */
export function transcriptionSession(
  prompt?: string,
  turn_detection: { type: 'server_vad'; silence_duration_ms?: number } | null = null,
): Parameters<OpenAIRealtimeWS['send']>[0] {
  return {
    type: 'session.update',
    session: {
      type: 'transcription',
      audio: {
        input: {
          format: { type: 'audio/pcm', rate: 24_000 },
          transcription: { model: 'gpt-4o-transcribe', language: 'en', ...(prompt === undefined ? {} : { prompt }) },
          turn_detection,
        },
      },
    },
  };
}
