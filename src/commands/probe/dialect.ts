import { resolve } from 'node:path';
import { createDialect, dialectSpec, isProtocolFile } from '../../dialects/catalogue.ts';
import type { Dialect } from '../../dialects/dialect.ts';
import { plainSound } from '../../dialects/plain-sound.ts';
import { SpeechfbError } from '../../errors.ts';
import { flag } from '../../flag.ts';
import { parseHz } from '../../units.ts';
import type { ProbeFlags } from './flags.ts';

/**
 * The dialect that is spoken: that of --protocol, or plain sound with the messages of the flags.
 */
export function probedDialect(flags: ProbeFlags): Dialect {
  const { protocol, sendFirst = [], sendLast = [], sampleRate, learn } = flags;
  if (protocol === undefined) {
    if (learn === undefined)
      throw new SpeechfbError('bad_flag', 'say what the server speaks with --protocol, or find out with --learn FILE');
    if (flags.option) throw new SpeechfbError('bad_flag', '--option is of a protocol; name one with --protocol');
    const sampleRateHz = sampleRate === undefined ? 16_000 : flag('--sample-rate', parseHz)(sampleRate);
    if (!Number.isInteger(sampleRateHz / 50) || sampleRateHz < 8000 || sampleRateHz > 48_000)
      throw new SpeechfbError('bad_flag', `--sample-rate ${sampleRate} is not from 8 to 48 kHz in steps of 50 Hz`);
    return plainSound({ sampleRateHz, first: sendFirst, last: sendLast });
  }
  for (const [name, given] of Object.entries({
    '--send-first': sendFirst[0],
    '--send-last': sendLast[0],
    '--sample-rate': sampleRate,
  }))
    if (given !== undefined)
      throw new SpeechfbError('bad_flag', `${name} is without --protocol; the protocol has its own`);
  if (protocol === 'speechfb') {
    const hint = 'speechfb stream FILE --url URL --text "..." plays a recording to a server of ours';
    throw new SpeechfbError('bad_flag', '--protocol: speechfb is shown by another command', { hint });
  }
  const read = dialectSpec(isProtocolFile(protocol) ? resolve(protocol) : protocol, optionsOf(flags.option ?? []));
  if ('problems' in read) {
    const said = read.problems.map(
      ({ path, message }) =>
        `${path[0] === 'protocol' ? '--protocol' : `--option ${path.slice(1).join('.')}`}: ${message}`,
    );
    throw new SpeechfbError('bad_flag', said.join('; '));
  }
  return createDialect(read.spec!);
}

/** `name=value`; numbers and truth values as such. */
function optionsOf(given: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    given.map((one) => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(one) ?? [];
      if (name === undefined || value === undefined)
        throw new SpeechfbError('bad_flag', `--option: "${one}" is not written as name=value`);
      const plain = /^(true|false|-?\d+(\.\d+)?)$/.test(value);
      return [name, plain ? JSON.parse(value) : value];
    }),
  );
}
