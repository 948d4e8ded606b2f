import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { histogramsReady } from '../../src/metrics/histogram.ts';
import { speechfb } from '../kit/command.ts';
import { editedBytes, editedJson, editedText, fuzz, hasEnded } from '../kit/fuzz.ts';
import { runOf } from '../kit/recorded-run.ts';

await histogramsReady();
const directory = runOf('fuzzed');
const other = runOf('whole', 5);
const recordingFile = join(directory, 'recording.json.gz');
const tracesFile = join(directory, 'traces.ndjson.gz');
const packed = readFileSync(recordingFile);
const tracesPacked = readFileSync(tracesFile);
const recording: unknown = JSON.parse(gunzipSync(packed).toString());

async function isRead(): Promise<void> {
  hasEnded(await speechfb('report', directory));
  hasEnded(await speechfb('compare', other, directory));
}

fuzz('a recording with parts replaced', editedJson([recording]), 120, async (value) => {
  writeFileSync(tracesFile, tracesPacked);
  writeFileSync(recordingFile, gzipSync(JSON.stringify(value) ?? ''));
  await isRead();
});

fuzz('a recording with text edited', editedText([gunzipSync(packed).toString()]), 60, async (text) => {
  writeFileSync(tracesFile, tracesPacked);
  writeFileSync(recordingFile, gzipSync(text));
  await isRead();
});

fuzz(
  'packed files with bytes changed or cut off',
  fc.tuple(editedBytes([packed]), editedBytes([tracesPacked])),
  60,
  async ([one, two]) => {
    writeFileSync(recordingFile, one);
    writeFileSync(tracesFile, two);
    await isRead();
  },
);

fuzz('traces with text edited', editedText([gunzipSync(tracesPacked).toString()]), 40, async (text) => {
  writeFileSync(recordingFile, packed);
  writeFileSync(tracesFile, gzipSync(text));
  await isRead();
});
