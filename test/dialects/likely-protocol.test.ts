import { describe, expect, it } from 'vitest';
import { likelyProtocol, protocolOf } from '../../src/dialects/likely-protocol.ts';

describe('a message is known by what no other protocol has:', () => {
  it.each<[string | undefined, string]>([
    ['speechfb', '{"event_id":3,"audio_ms":100,"type":"ack","next_seq":5}'],
    ['openai-realtime', '{"type":"session.created","session":{}}'],
    ['openai-realtime', '{"type":"conversation.item.input_audio_transcription.delta","delta":"to"}'],
    ['openai-realtime', '{"type":"error","event_id":"e","error":{"type":"invalid_request_error","message":"no"}}'],
    [undefined, '{"type":"error","error":"no"}'],
    ['deepgram', '{"type":"Results","channel":{"alternatives":[]}}'],
    ['deepgram-flux', '{"type":"TurnInfo","event":"Update"}'],
    ['assemblyai-v3', '{"type":"Turn","transcript":"to"}'],
    ['vosk', '{"partial":"to"}'],
    ['vosk', '{"text":"to lock"}'],
    ['sherpa-onnx', '{"text":"to","segment":0,"tokens":[],"timestamps":[]}'],
    ['sherpa-onnx', 'Done!'],
    ['funasr', '{"mode":"2pass-online","text":"to"}'],
    [undefined, '{"kind":"hypothesis","hyp":"to"}'],
    [undefined, '{"type":"result","text":"to"}'],
    [undefined, '[1, 2]'],
    [undefined, 'null'],
    [undefined, '<html>502 Bad Gateway</html>'],
  ])('%s: %s', (name, message) => {
    expect(protocolOf(message)).toBe(name);
    expect(likelyProtocol([{ raw: message }])).toBe(name);
  });

  it('bytes are of none', () => {
    expect(protocolOf(Buffer.from('{"partial":"to"}'))).toBeUndefined();
  });
});

it('a server is known by what half of its messages look like', () => {
  const partial = { raw: '{"partial":"to"}' };
  const strange = { raw: '{"kind":"stats"}' };
  expect(likelyProtocol([strange, partial, partial, strange])).toBe('vosk');
  expect(likelyProtocol([strange, partial, strange])).toBeUndefined();
  expect(likelyProtocol([])).toBeUndefined();
});
