import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import protobuf from 'protobufjs';

/**
 * As much of Riva as a load test needs: every message of sound has an answer that says how much was heard, and the end of the
 * caller's half a final. Resolves to its URL; `onCall` is told of each call and gives what is called with each answer.
 */
export async function serveRiva(onCall: () => (atMs: number) => void): Promise<string> {
  const server = new Server();
  const StreamingRecognize = (call: ServerDuplexStream<Sound, Answer>) => {
    const answered = onCall();
    let bytes = 0;
    const say = (is_final: boolean) =>
      call.write({ results: [{ alternatives: [{ transcript: 'a' }], is_final, audio_processed: bytes / 32_000 }] });
    call.on('error', () => {});
    call.on('data', ({ audio_content: sound }: Sound) => {
      if (!sound || sound.length === 0) return;
      answered(performance.now());
      bytes += sound.length;
      say(false);
    });
    call.on('end', () => {
      say(true);
      call.end();
    });
  };
  server.addService({ StreamingRecognize: method }, { StreamingRecognize });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return `grpc://127.0.0.1:${port}`;
}

type Sound = { audio_content?: Buffer };
type Answer = {
  results: { alternatives: { transcript: string }[]; is_final: boolean; audio_processed: number }[];
};

const { root } = protobuf.parse(
  `syntax = "proto3";
   message Req { bytes audio_content = 2; }
   message Res { repeated Result results = 1; }
   message Result { repeated Alternative alternatives = 1; bool is_final = 2; float audio_processed = 6; }
   message Alternative { string transcript = 1; }`,
  { keepCase: true },
);
const requests = root.lookupType('Req');
const responses = root.lookupType('Res');

const method = {
  path: '/nvidia.riva.asr.RivaSpeechRecognition/StreamingRecognize',
  requestStream: true,
  responseStream: true,
  requestSerialize: (sound: Sound) => Buffer.from(requests.encode(sound).finish()),
  requestDeserialize: (bytes: Buffer) => requests.decode(bytes) as protobuf.Message & Sound,
  responseSerialize: (answer: Answer) => Buffer.from(responses.encode(answer).finish()),
  responseDeserialize: (bytes: Buffer) => responses.decode(bytes) as unknown as Answer,
} as const;
