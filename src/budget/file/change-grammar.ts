import { SpeechfbError } from '../../errors.ts';
import { didYouMean } from '../../suggest.ts';
import { parseDurationMs } from '../../units.ts';
import type { Change, WhatIf } from './budget.ts';

/**
 * A what-if as the command line writes it.
 *
 * ```
 * what-if  := [ name "=" ] change { "," change }
 * change   := stage "+" duration      every trace's stage takes longer: asr+100ms
 *           | stage "-" duration      or shorter:                       asr-50ms
 *           | stage "*" number        scaled:                           asr*1.5
 *           | stage "<=" duration     capped:                           asr<=200ms
 *           | "-" stage               removed:                          -asr
 * duration := number ( "us" | "ms" | "s" | "m" | "h" )
 * ```
 *
 * Changes apply from left to right. The name defaults to the text itself. Throws `bad_what_if`.
 */
export function parseWhatIf(text: string, stages: readonly string[]): WhatIf {
  const named = /^\s*([^=<]+?)\s*=\s*(.+)$/.exec(text);
  const changes = (named?.[2] ?? text).split(',').map((part) => parseChange(part.trim(), text, stages));
  return { name: named?.[1] ?? text.trim(), changes };
}

function parseChange(part: string, text: string, stages: readonly string[]): Change {
  const remove = /^-([A-Za-z][\w.-]*)$/.exec(part);
  if (remove) return { stage: known(remove[1]!, text, stages), kind: 'remove' };
  // Stage names hold hyphens: the operator is the last sign that a number follows.
  const match = /^([A-Za-z][\w.-]*?)\s*(\+|-|\*|<=)\s*(\d[\w.]*|\.\d[\w.]*)$/.exec(part);
  if (!match) {
    throw new SpeechfbError('bad_what_if', `"${part}" in the what-if "${text}" is not a change`, {
      hint: 'write asr+100ms, asr-50ms, asr*1.5, asr<=200ms or -asr; several with commas between',
    });
  }
  const [, name, operator, operand] = match;
  const stage = known(name!, text, stages);
  if (operator === '*') return { stage, kind: 'scale', factor: factorOf(operand!, text) };
  const ms = parseDurationMs(operand!);
  if (operator === '<=') return { stage, kind: 'cap', atMs: ms };
  return { stage, kind: 'shift', byMs: operator === '-' ? -ms : ms };
}

function known(name: string, text: string, stages: readonly string[]): string {
  if (stages.includes(name)) return name;
  throw new SpeechfbError(
    'bad_what_if',
    `"${name}" in the what-if "${text}" is not a stage of the budget${didYouMean(name, stages)}; its stages: ${stages.join(', ')}`,
  );
}

function factorOf(operand: string, text: string): number {
  const factor = Number(operand);
  if (Number.isFinite(factor)) return factor;
  throw new SpeechfbError(
    'bad_what_if',
    `"${operand}" in the what-if "${text}" is not a factor; write a number, asr*1.5`,
  );
}
