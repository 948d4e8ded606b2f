import { writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { SpeechfbError } from '../errors.ts';
import { fileTrouble } from '../file-trouble.ts';

/** Writes an SVG document as `.svg`, or as `.png` rendered; the name's ending says which. */
export async function writeChart(file: string, svg: string): Promise<void> {
  const content = await rendered(file, svg);
  try {
    writeFileSync(file, content);
  } catch (cause) {
    throw new SpeechfbError('output_unwritable', `cannot write the chart "${file}": ${fileTrouble(cause)}`, {
      cause,
    });
  }
}

async function rendered(file: string, svg: string): Promise<string | Uint8Array> {
  const ending = extname(file).toLowerCase();
  if (ending === '.svg') return svg;
  if (ending === '.png') return (await import('../report/terminal/chart-png.ts')).svgToPng(svg);
  throw new SpeechfbError('bad_flag', `--chart "${file}" is neither .svg nor .png; allowed: .svg, .png`);
}
