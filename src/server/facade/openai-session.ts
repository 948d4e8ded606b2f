import { z } from 'zod';
import { plainSentence } from '../../config/sentences.ts';
import { sampleRatesHz } from '../../protocol/client-messages.ts';

/** What a client has set of its transcription session; undefined keys were never set. */
export type OpenaiSettings = {
  rateHz: number;
  /** The reference: what will be read. */
  prompt: string | undefined;
  language: string;
  /** The pause that ends a turn, ms; undefined: the client commits. */
  silenceMs: number | undefined;
};

export const defaultSettings: OpenaiSettings = {
  rateHz: 24_000,
  prompt: undefined,
  language: 'en-US',
  silenceMs: 500,
};

/** A mistake of the client, as OpenAI names them. */
export type OpenaiProblem = { code: string; message: string; param: string | null };

/**
 * The settings behind a `session.update`, or what is wrong with it. Keys that are not known are
 * passed over: they ask for what a transcription session of others does.
 */
export function updated(settings: OpenaiSettings, event: unknown): OpenaiSettings | OpenaiProblem {
  const parsed = schema.safeParse(event, { error: plainSentence });
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const param = issue!.path.join('.');
    return { code: 'invalid_value', message: `${param}: ${issue!.message}`, param };
  }
  const { format, transcription, turn_detection } = parsed.data.session.audio?.input ?? {};
  return {
    rateHz: format?.rate ?? settings.rateHz,
    prompt: transcription?.prompt ?? settings.prompt,
    language: transcription?.language ?? settings.language,
    silenceMs: turn_detection === undefined ? settings.silenceMs : turn_detection?.silence_duration_ms,
  };
}

/** The session as `session.created` and `session.updated` show it. */
export function shownSession(id: string, { rateHz, prompt, language, silenceMs }: OpenaiSettings, model: string) {
  const turn_detection =
    silenceMs === undefined
      ? null
      : { type: 'server_vad', threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: silenceMs };
  return {
    id,
    object: 'realtime.transcription_session',
    type: 'transcription',
    audio: {
      input: {
        format: { type: 'audio/pcm', rate: rateHz },
        transcription: { model, language, prompt: prompt ?? '' },
        noise_reduction: null,
        turn_detection,
      },
    },
    include: [],
  };
}

const format = z.object({
  type: z.literal('audio/pcm'),
  rate: z.number().int().min(sampleRatesHz.least).max(sampleRatesHz.most),
});
const vad = z.object({
  type: z.literal('server_vad'),
  silence_duration_ms: z.number().int().min(0).max(10_000).default(500),
});
const schema = z.object({
  session: z.object({
    type: z.literal('transcription'),
    audio: z
      .object({
        input: z
          .object({
            format: format.optional(),
            transcription: z
              .object({
                model: z.string().max(200).optional(),
                language: z.string().min(2).max(20).optional(),
                prompt: z.string().min(1).max(4000).optional(),
              })
              .nullable()
              .optional(),
            turn_detection: vad.nullable().optional(),
          })
          .optional(),
      })
      .optional(),
  }),
});
