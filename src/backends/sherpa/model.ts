import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SpeechfbError } from '../../errors.ts';

/** The files of a streaming model, as sherpa-onnx wants to be told of them. */
export type SherpaModel = {
  tokens: string;
  transducer?: { encoder: string; decoder: string; joiner: string };
  paraformer?: { encoder: string; decoder: string };
  zipformer2Ctc?: { model: string };
};

/**
 * Looks for a streaming model in a directory as the project publishes them: `tokens.txt` beside a
 * transducer (encoder, decoder, joiner), a paraformer (encoder, decoder) or a CTC model. Where a
 * network is there both whole and in 8 bits, it takes the whole one. Throws `backend_unavailable`
 * with what is missing.
 */
export function findSherpaModel(directory: string): SherpaModel {
  const files = filesOf(directory);
  const find = (begin: RegExp): string | undefined => {
    const fitting = files.filter((file) => begin.test(file) && file.endsWith('.onnx'));
    const found = fitting.find((file) => !file.includes('.int8.')) ?? fitting[0];
    return found === undefined ? undefined : join(directory, found);
  };
  if (!files.includes('tokens.txt')) throw noModel(directory, 'there is no tokens.txt in it');
  const tokens = join(directory, 'tokens.txt');
  const [encoder, decoder, joiner, ctc] = [find(/^encoder/), find(/^decoder/), find(/^joiner/), find(/^(model|ctc)/)];
  if (encoder && decoder && joiner) return { tokens, transducer: { encoder, decoder, joiner } };
  if (encoder && decoder) return { tokens, paraformer: { encoder, decoder } };
  if (ctc) return { tokens, zipformer2Ctc: { model: ctc } };
  throw noModel(
    directory,
    `beside tokens.txt it has ${encoder ? 'no decoder*.onnx' : 'no encoder*.onnx and no model*.onnx'}`,
  );
}

function filesOf(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw noModel(
      directory,
      code === 'ENOENT' ? 'it is not there' : code === 'ENOTDIR' ? 'it is no directory' : 'it cannot be read',
    );
  }
}

function noModel(directory: string, why: string): SpeechfbError {
  return new SpeechfbError('backend_unavailable', `"${directory}" is no streaming model of sherpa-onnx: ${why}`, {
    hint: 'give the directory of one, with tokens.txt, encoder*.onnx, decoder*.onnx and joiner*.onnx',
  });
}
