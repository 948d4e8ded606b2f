/** What a backend can do beside writing what was said. */
export const capabilities = ['streaming', 'word-times', 'phones'] as const;
export type Capability = (typeof capabilities)[number];

/**
 * The kinds of backends and what each can do. `streaming`: text while it is being spoken;
 * `word-times`: when each word was said; `phones`: speech sounds of its own.
 */
export const backendKinds = {
  local: ['streaming', 'word-times', 'phones'],
  'sherpa-onnx': ['streaming', 'word-times'],
  deepgram: ['streaming', 'word-times'],
  'openai-realtime': ['streaming'],
  'http-batch': [],
  scripted: ['streaming', 'word-times', 'phones'],
} as const satisfies Record<string, readonly Capability[]>;

export type BackendKind = keyof typeof backendKinds;

/** Whether its sessions take places of our own machines; the others are paid by the minute. */
export function isSelfHosted(kind: BackendKind): boolean {
  return kind === 'local' || kind === 'sherpa-onnx';
}

export function canDo(kind: BackendKind, capability: Capability): boolean {
  return (backendKinds[kind] as readonly Capability[]).includes(capability);
}
