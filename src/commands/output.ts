import { formatError, type SpeechfbError } from '../errors.ts';
import { jsonText } from '../json-text.ts';
import { plainText, sentenceColumns } from '../plain-text.ts';

/** Writes the one document of `--json` to stdout. */
export function printJson(document: unknown): void {
  process.stdout.write(jsonText(document));
}

/**
 * Writes a text to stdout as it is: of a format whose writer escapes what is foreign, such as XML
 * or Markdown.
 */
export function printDocument(text: string): void {
  process.stdout.write(text);
}

/** An error on stderr that ends nothing. */
export function sayError(error: SpeechfbError): void {
  process.stderr.write(`${formatError(error)}\n`);
}

/** One line on stderr: progress, a note, where results went. */
export function say(sentence: string): void {
  process.stderr.write(`${plainText(sentence, sentenceColumns)}\n`);
}
