import { DeepgramClient } from '@deepgram/sdk';

type Live = Awaited<ReturnType<DeepgramClient['listen']['v1']['connect']>>;
type Wish = Partial<Parameters<DeepgramClient['listen']['v1']['connect']>[0]>;
type Message = Parameters<NonNullable<Parameters<Live['on']>[1]>>[0];
/** What the live API says. */
type LiveMessage = Extract<Message, { type: 'Results' | 'Metadata' | 'UtteranceEnd' | 'SpeechStarted' }>;
type LiveResults = Extract<LiveMessage, { type: 'Results' }>;

/** A caller that uses Deepgram's own SDK, and remembers everything. */
export type DeepgramCaller = {
  readonly live: Live;
  readonly messages: LiveMessage[];
  results(): LiveResults[];
  /** Sends 16-bit samples in pieces of 100 ms, at once. */
  speak(samples: Int16Array, rateHz: number): void;
  /** The next message that is wanted, or one that was there already. */
  until(wanted: (message: LiveMessage) => boolean): Promise<LiveMessage>;
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly failed: Promise<Error>;
};

/** Connects as an application would that has been told another base URL. */
export async function callDeepgram(url: string, key: string, wish: Wish = {}): Promise<DeepgramCaller> {
  const client = new DeepgramClient({ apiKey: key, baseUrl: new URL(url).origin, reconnect: false });
  const format = { model: 'nova-3', encoding: 'linear16', sample_rate: 16_000 } as const;
  const live = await client.listen.v1.connect({ ...format, reconnectAttempts: 0, ...wish });
  const messages: LiveMessage[] = [];
  const waiting = new Set<() => void>();
  live.on('message', (message) => {
    messages.push(message as LiveMessage);
    for (const look of waiting) look();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    live.on('close', ({ code, reason }) => resolve({ code, reason }));
  });
  const failed = new Promise<Error>((resolve) => {
    live.on('error', resolve);
  });
  live.connect();
  await Promise.race([live.waitForOpen(), failed.then((error) => Promise.reject(error))]);
  return {
    live,
    messages,
    results: () => messages.filter((message): message is LiveResults => message.type === 'Results'),
    speak(samples, rateHz) {
      const piece = rateHz / 10;
      for (let at = 0; at < samples.length; at += piece) live.sendMedia(samples.slice(at, at + piece));
    },
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = messages.find(wanted);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void closed.then(({ code, reason }) => reject(new Error(`closed (${code} ${reason}) before it came`)));
      }),
    closed,
    failed,
  };
}
