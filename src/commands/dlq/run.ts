import { type ExitCode, exitCodes, SpeechfbError } from '../../errors.ts';
import { findLetter, findLetters, replayLetters } from '../../handoff/letters.ts';
import type { DeadLetters } from '../../queue/dead-letter.ts';
import { KafkaDeadLetters } from '../../queue/kafka/kafka-dead-letters.ts';
import { QueueError } from '../../queue/work-queue.ts';
import {
  letterJson,
  lettersJson,
  lettersText,
  letterText,
  replayJson,
  replayText,
} from '../../report/handoff/letters-text.ts';
import { type KafkaFlags, kafkaPlaceOf, topicsOf } from '../handoff/kafka.ts';
import { printJson } from '../output.ts';
import { printReport } from '../terminal.ts';

export type DlqFlags = KafkaFlags & { region?: string; json?: true };
export type DlqListFlags = DlqFlags & { limit: number; reason?: string; before?: string };
export type DlqReplayFlags = DlqFlags & { all?: true; reason?: string };

/** The letters there are; that there are none is no fault. */
export async function runList(flags: DlqListFlags): Promise<ExitCode> {
  const { limit: most, reason, json } = flags;
  const before = flags.before === undefined ? undefined : checkedId(flags.before);
  const found = await withLetters(flags, (box) => findLetters(box, { most, reason, before }, Date.now()));
  if (!found) throw noLetter(before ?? '', flags);
  const list = { topic: topicsOf(flags.region).deadTopic, ...found };
  if (json) printJson(lettersJson(list));
  else printReport(list, lettersText);
  return exitCodes.pass;
}

export async function runShow(given: string, flags: DlqFlags): Promise<ExitCode> {
  const id = checkedId(given);
  const letter = await withLetters(flags, (box) => findLetter(box, id, Date.now()));
  if (!letter) throw noLetter(id, flags);
  if (flags.json) printJson(letterJson(letter));
  else printReport(letter, letterText);
  return exitCodes.pass;
}

/** 99: the one that was asked for was not replayed. */
export async function runReplay(given: string | undefined, flags: DlqReplayFlags): Promise<ExitCode> {
  const { all, reason, json } = flags;
  if ((given === undefined) === (all === undefined)) {
    const message =
      given === undefined ? 'dlq replay needs an id, or --all' : 'dlq replay takes an id or --all, not both';
    throw new SpeechfbError('bad_usage', message);
  }
  if (given !== undefined && reason !== undefined) {
    throw new SpeechfbError('bad_usage', '--reason goes with --all: an id is of one');
  }
  const id = given === undefined ? undefined : checkedId(given);
  const report = await withLetters(flags, (box) => replayLetters(box, { id, reason }, Date.now()));
  const { replayed, already, expired, tooLarge = 0 } = report;
  if (id !== undefined && replayed.length + already + expired + tooLarge === 0) throw noLetter(id, flags);
  const shown = { topic: topicsOf(flags.region).topic, ...report };
  if (json) printJson(replayJson(shown));
  else printReport(shown, replayText);
  return id !== undefined && replayed.length === 0 ? exitCodes.missed : exitCodes.pass;
}

/** @throws SpeechfbError `bad_flag`, `unset_variable`, `kafka_refused` */
async function withLetters<Value>(flags: DlqFlags, use: (box: DeadLetters) => Promise<Value>): Promise<Value> {
  if (flags.kafka === undefined) {
    throw new SpeechfbError('bad_flag', 'dlq needs --kafka', { hint: '--kafka host:9092' });
  }
  const box = new KafkaDeadLetters({ place: kafkaPlaceOf(flags), ...topicsOf(flags.region) });
  try {
    return await use(box);
  } catch (error) {
    throw error instanceof QueueError ? new SpeechfbError('kafka_refused', error.message) : error;
  } finally {
    await box.close();
  }
}

function checkedId(given: string): string {
  if (/^\d{1,9}:\d{1,19}$/.test(given)) return given;
  const hint = 'speechfb dlq list has the ids';
  throw new SpeechfbError('bad_usage', `"${given}" is no id of a dead letter; allowed: partition:offset, as 0:12`, {
    hint,
  });
}

function noLetter(id: string, { region }: DlqFlags): SpeechfbError {
  const hint = 'speechfb dlq list has those that are there';
  return new SpeechfbError('no_letter', `${topicsOf(region).deadTopic} has no dead letter ${id}`, { hint });
}
