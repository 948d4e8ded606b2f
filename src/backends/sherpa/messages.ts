import type { SherpaModel } from './model.ts';

/** What the process of sherpa-onnx is begun with. */
export type SherpaWork = { model: SherpaModel; package: string; threads: number };

/** What the process is asked to do; a hearing goes by a number. */
export type SherpaTask =
  | { do: 'open'; id: number; sampleRateHz: number }
  | { do: 'hear'; id: number; samples: Float32Array }
  | { do: 'end'; id: number }
  | { do: 'close'; id: number };

/** What the process says. */
export type SherpaNews =
  | { is: 'ready' }
  /** It cannot hear anybody; it ends. */
  | { is: 'failed'; message: string }
  | {
      is: 'text';
      id: number;
      text: string;
      isFinal: boolean;
      /** Beginnings of its tokens in the sound of the utterance, ms, where the model tells them. */
      tokens: readonly { text: string; startMs: number }[];
      /** Sound of the utterance that was heard, ms. */
      heardMs: number;
    };
