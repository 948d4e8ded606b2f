import { describe, expect, it } from 'vitest';
import { createDialect, dialectSpec } from '../../src/dialects/catalogue.ts';

/** Servers that hear how a known text is read must be told it, utterance by utterance. */
const session = { sampleRateHz: 24_000, language: 'en-US', reference: { text: 'one $& two' }, session: 's1' };

function dialectOf(protocol: string, options: Record<string, unknown>) {
  const read = dialectSpec(protocol, options);
  if (!('spec' in read) || !read.spec) throw new Error(`no dialect ${protocol}`);
  return createDialect(read.spec);
}

describe('what will be read', () => {
  it('is told to a Deepgram that asks for it: in the URL, then by Configure behind each Finalize', () => {
    const dialect = dialectOf('deepgram', { reference: '{reference}', model: 'nova-3' });
    expect(dialect.connect(session).query).toMatchObject({ reference: 'one $& two', model: 'nova-3' });
    const sent = dialect
      .speaker(session)
      .next({ text: 'three' })
      .map((text) => JSON.parse(String(text)));
    expect(sent).toEqual([{ type: 'Finalize' }, { type: 'Configure', reference: 'three' }]);
  });

  it.each<[{ reference?: string }]>([[{}], [{ reference: 'a text of its own' }]])(
    'is not told where nobody asks: %o',
    (options) => {
      const dialect = dialectOf('deepgram', options);
      expect(dialect.connect(session).query?.reference).toBe(options.reference);
      expect(dialect.speaker(session).next({ text: 'three' })).toEqual(['{"type":"Finalize"}']);
    },
  );

  it.each([
    ['{reference}', 'one $& two', 'three'],
    ['Read: {reference}', 'Read: one $& two', 'Read: three'],
    ['a hint', 'a hint', undefined],
    [undefined, undefined, undefined],
  ])('is told to OpenAI in a prompt of "%s"', (prompt, first, second) => {
    const speaker = dialectOf('openai-realtime', prompt === undefined ? {} : { prompt }).speaker(session);
    const [answer] = speaker.heard('{"type":"session.created","session":{}}');
    const send = answer?.is === 'answer' ? answer.send : [];
    expect(promptOf(send.at(-1))).toBe(first);
    const next = speaker.next({ text: 'three' });
    expect(next.map((text) => JSON.parse(String(text)).type).at(0)).toBe('input_audio_buffer.commit');
    expect(promptOf(next[1])).toBe(second);
  });
});

function promptOf(text: unknown): string | undefined {
  return text === undefined ? undefined : JSON.parse(String(text)).session.audio.input.transcription.prompt;
}
