import { SpeechfbError } from '../../errors.ts';

/**
 * A Mahimahi packet-delivery trace: one whole number a line, the ms since its beginning at which a
 * packet of 1,500 bytes may leave; the same ms again for another packet; the last one is the length
 * after which the trace begins anew (Netravali et al., USENIX ATC 2015, and mm-link(1)). Errors:
 * `bad_config`, every line that is wrong, up to ten.
 */
export function parseMahimahi(file: string, text: string): readonly number[] {
  const problems: { where: string; message: string }[] = [];
  const times: number[] = [];
  let last = 0;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const time = /^\s*\d{1,12}\s*$/.test(line) ? Number(line) : Number.NaN;
    if (time >= last) {
      times.push(time);
      last = time;
    } else if (problems.length < 10) {
      const wrong = Number.isNaN(time) ? 'is not a whole number of ms' : `comes before the ${last} ms ahead of it`;
      problems.push({ where: `${file}:${index + 1}:1`, message: `"${line.slice(0, 40)}" ${wrong}` });
    }
  }
  if (problems.length === 0 && last === 0)
    problems.push({ where: `${file}:1:1`, message: 'has no time above 0 ms: nothing would ever leave' });
  if (problems.length > 0) throw new SpeechfbError('bad_config', `${file} is not a Mahimahi trace`, { problems });
  return times;
}
