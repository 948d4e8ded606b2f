import type { TranscriptWord } from '../../protocol/server-messages.ts';
import type { EventOf } from './events.ts';

/** A word of a transcript; its times are absent where whoever wrote it tells none. */
export type WrittenWord = Pick<TranscriptWord, 'text' | 'is_final'> & Partial<TranscriptWord>;

/**
 * The words of a transcript, whoever writes it. The text counts: its words have times only if they
 * are those that the event tells one by one, which is not so of a backend without times, nor where
 * one writer goes on behind another.
 */
export function wordsWritten({
  text,
  words,
  stability,
}: Pick<EventOf<'transcript'>, 'text' | 'words' | 'stability'>): readonly WrittenWord[] {
  if (words.map((word) => word.text).join(' ') === text) return words;
  const texts = split(text);
  const open = words.filter((word) => !word.is_final).length;
  const settled = words.length > 0 ? texts.length - open : Math.round(stability * texts.length);
  return texts.map((word, at) => ({ text: word, is_final: at < settled }));
}

/** The words of a reference that were read, as the own model has scored them. */
export function wordsRead({ words }: Pick<EventOf<'utterance_final'>, 'words'>) {
  return words.filter(({ error_type }) => error_type !== 'omission');
}

/** The words of a final, whoever wrote it. */
export function textsOf(final: Pick<EventOf<'utterance_final'>, 'words' | 'text'>): readonly string[] {
  return final.text === undefined ? wordsRead(final).map(({ text }) => text) : split(final.text);
}

/** Whether the text of a final is another's than the own model's. */
export function isWrittenElsewhere(final: Pick<EventOf<'utterance_final'>, 'words' | 'text'>): boolean {
  if (final.text === undefined) return false;
  const read = wordsRead(final).map(({ text }) => text);
  return read.join(' ') !== final.text;
}

function split(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
