/**
 * The protocol that a server's messages look like, by what stands in them, whatever they were taken
 * for; undefined where they look like none that is known. The name is one of `--protocol`.
 */
export function likelyProtocol(messages: readonly { raw: string | Uint8Array }[]): string | undefined {
  const votes = new Map<string, number>();
  for (const { raw } of messages) {
    const name = protocolOf(raw);
    if (name !== undefined) votes.set(name, (votes.get(name) ?? 0) + 1);
  }
  // Of equals the one that was seen first.
  const [best] = [...votes].sort(([, a], [, b]) => b - a);
  return best && best[1] * 2 >= messages.length ? best[0] : undefined;
}

/** The same of one message alone. */
export function protocolOf(raw: string | Uint8Array): string | undefined {
  if (typeof raw !== 'string') return undefined;
  if (raw.trim() === 'Done!') return 'sherpa-onnx';
  try {
    const message: unknown = JSON.parse(raw);
    if (typeof message !== 'object' || message === null || Array.isArray(message)) return undefined;
    return signs.find(([, holds]) => holds(message as Message))?.[0];
  } catch {
    return undefined;
  }
}

type Message = Readonly<Record<string, unknown>>;

const typed = (pattern: RegExp) => (message: Message) => typeof message.type === 'string' && pattern.test(message.type);
const has =
  (...keys: string[]) =>
  (message: Message) =>
    keys.every((key) => key in message);

/** What no other protocol's messages have; the first that holds. */
const signs: readonly (readonly [name: string, holds: (message: Message) => boolean])[] = [
  ['speechfb', (message) => has('event_id', 'audio_ms')(message)],
  [
    'openai-realtime',
    typed(/^(session|transcription_session|input_audio_buffer|conversation\.item|transcription|response)\./),
  ],
  ['openai-realtime', (message) => typed(/^error$/)(message) && hasFields(message.error, 'type', 'message')],
  ['deepgram-flux', typed(/^(TurnInfo|Connected|FatalError)$/)],
  ['assemblyai-v3', typed(/^(Begin|Turn|Termination)$/)],
  ['deepgram', (message) => typed(/^(Results|UtteranceEnd)$/)(message) || has('type', 'request_id', 'sha256')(message)],
  ['funasr', (message) => /^(2pass|2pass-online|2pass-offline|online|offline)$/.test(`${message.mode}`)],
  ['sherpa-onnx', has('text', 'segment', 'tokens', 'timestamps')],
  ['vosk', (message) => !('type' in message) && (onlyKey(message, 'partial') || has('text', 'result')(message))],
  ['vosk', (message) => onlyKey(message, 'text')],
];

function hasFields(value: unknown, ...keys: string[]): boolean {
  return typeof value === 'object' && value !== null && keys.every((key) => key in value);
}

function onlyKey(message: Message, key: string): boolean {
  return Object.keys(message).length === 1 && typeof message[key] === 'string';
}
