import { stringify } from 'yaml';
import type { Learned, LearnedRule, Sign } from './learn.ts';

/** What was sent beside the sound, and how the sound was. */
export type SentWith = {
  name: string;
  /**
   * Path and parameters of the URL that was probed, without what is secret; '' where it has none.
   */
  path: string;
  audio: { encoding: string; sampleRateHz: number; messageMs: number };
  /** Messages before the sound and behind it, as they were written. */
  first: readonly string[];
  last: readonly string[];
};

/**
 * The mapping as a YAML file of kind StreamProtocol that `--protocol` takes, with a comment on what
 * it was made from and what is left to do by hand.
 */
export function mappingYaml({ rules, doubts }: Learned, sent: SentWith): string {
  const { name, path, audio, first, last } = sent;
  const send = (texts: readonly string[]) => texts.map((text) => ({ send: messageOf(text) }));
  const spec = {
    ...(path !== '' && path !== '/' && { connect: { path } }),
    audio: { as: 'binary', encoding: audio.encoding, sampleRate: audio.sampleRateHz, message: `${audio.messageMs}ms` },
    ...(first.length > 0 && { open: send(first) }),
    ...(last.length > 0 && { utteranceOver: send(last) }),
    receive: rules.map(ruleOf),
  };
  const document = { apiVersion: 'speechfb.dev/v1alpha1', kind: 'StreamProtocol', metadata: { name }, spec };
  const notes = [
    'A first mapping, made by speechfb probe --learn from what a server said; look it through.',
    ...rules.map((rule, place) => `rule ${place + 1} (${rule.is}): made from ${messages(rule.seen)}`),
    ...doubts,
    ...(last.length > 0
      ? []
      : ['utteranceOver is empty: write what the app sends when a sentence is over, if anything']),
    'docs/your-server.md says what else a mapping may have.',
  ];
  return `${notes.map((note) => `# ${note}`).join('\n')}\n${stringify(document, { lineWidth: 120, flowCollectionPadding: true })}`;
}

function messages(count: number): string {
  return count === 1 ? 'one message' : `${count} messages`;
}

/** JSON as a mapping; anything else as the text that it is. */
function messageOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // A text of its own.
  }
  return text;
}

function ruleOf({ is, when, has, text, textIs, time, words, message }: LearnedRule): object {
  return {
    ...(when.length > 0 && { when: Object.fromEntries(when.map((sign) => [keyOf(sign), sign.value])) }),
    ...(has !== undefined && { has }),
    is,
    ...(text !== undefined && { text }),
    ...(textIs && { textIs }),
    ...(time && { coversTo: time.pointers.length === 1 ? time.pointers[0] : time.pointers, unit: time.unit }),
    ...(words && { words }),
    ...(message !== undefined && { message }),
  };
}

/** A key at the top as it is, others as a JSON Pointer. */
function keyOf({ pointer }: Sign): string {
  const key = pointer.slice(1);
  return /^[\w-]+$/.test(key) ? key : pointer;
}
