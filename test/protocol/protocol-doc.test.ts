import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clientMessage } from '../../src/protocol/client-messages.ts';
import { parseClientMessage } from '../../src/protocol/parse-message.ts';
import { serverStages } from '../../src/protocol/stages.ts';
import { defaultLimits } from '../../src/server/limits.ts';

const text = readFileSync(resolve(import.meta.dirname, '../../docs/protocol.md'), 'utf8');
const examples = [...text.matchAll(/^```json\n([\s\S]*?)^```/gm), ...text.matchAll(/^`(\{"type".*?\})`/gm)].map(
  (match) => match[1]!,
);

describe('docs/protocol.md', () => {
  it.each(clientMessage.options.map((option) => [...option.shape.type.values][0]))('describes %s', (type) => {
    expect(text).toMatch(new RegExp(`^### ${type}$`, 'm'));
  });

  it.each([
    'ready',
    'ack',
    'speech',
    'phoneme_feedback',
    'transcript',
    'utterance_final',
    'backpressure',
    'info',
    'go_away',
    'error',
  ])('describes the event %s', (type) => {
    expect(text).toMatch(new RegExp(`^### ${type}$`, 'm'));
  });

  it.each(serverStages)('names the stage %s', (stage) => {
    expect(text).toContain(`\`${stage}\``);
  });

  it.each(examples)('shows a message that is taken: %s', (example) => {
    const shown = example.replace('{"reference": {...}}', '').replace('{...}', '{"text": "a"}');
    expect(parseClientMessage(shown)).toMatchObject({ ok: true });
  });

  it('shows examples', () => {
    expect(examples.length).toBeGreaterThanOrEqual(6);
  });

  it.each([
    ['sessions', defaultLimits.maxSessions],
    ['sockets', defaultLimits.maxConnections],
    ['frame bytes', defaultLimits.maxFrameBytes],
    ['message bytes', defaultLimits.maxMessageBytes],
    ['frames at once', defaultLimits.frameBurst],
  ])('states the limit of %s', (_, value) => {
    expect(text).toMatch(new RegExp(`\\b(${value}|${value.toLocaleString('en-US')})\\b`));
  });
});
