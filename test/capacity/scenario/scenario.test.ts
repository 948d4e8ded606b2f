import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { capacityJsonSchema, capacityScenario } from '../../../src/capacity/scenario/scenario.ts';
import { parseDocuments } from '../../../src/config/documents.ts';
import { SpeechfbError } from '../../../src/errors.ts';

const examples = readdirSync('capacity').filter((name) => name.endsWith('.yaml'));
/** The shipped class before pods were kept ready for its spike. */
const liveClass = readFileSync('capacity/live-class.yaml', 'utf8')
  .replace(/ {2}scaling:.*\n/, '')
  .replace(/ {4}degradedShare:.*\n/, '');

describe('the examples', () => {
  const published: object = JSON.parse(readFileSync('schemas/capacity.schema.json', 'utf8'));

  it('have a JSON Schema that is current', () => {
    expect(published).toEqual(JSON.parse(JSON.stringify(capacityJsonSchema())));
  });

  it.each(examples)('%s fits it and is read', (name) => {
    const source = readFileSync(`capacity/${name}`, 'utf8');
    const validate = new Ajv2020().compile(published);
    expect(validate(parse(source)), JSON.stringify(validate.errors)).toBe(true);
    expect(read(source)).toEqual([]);
  });
});

describe('a scenario with a mistake', () => {
  it.each([
    ['a bare number for a duration', 'ramp: 60s', 'ramp: 60', '12:30: spec.demand.spike.ramp: 60 is not a duration'],
    [
      'a share over 100 %',
      'dutyCycle: 40%',
      'dutyCycle: 140%',
      '10:16: spec.demand.dutyCycle: 140% is outside 0.01% to 100%',
    ],
    [
      'a share without a sign',
      'dutyCycle: 40%',
      'dutyCycle: 0.4',
      '10:16: spec.demand.dutyCycle: 0.4 is not a percentage',
    ],
    ['a typo', 'headroom:', 'headrom:', '14:3: spec: unknown key "headrom" (did you mean "headroom"?)'],
    [
      'an unknown codec',
      'codec: pcm16',
      'codec: mp3',
      '11:20: spec.demand.audio.codec: "mp3" is not allowed; allowed: pcm16, mulaw, alaw, opus',
    ],
    [
      'a rate without a unit',
      'sampleRate: 8kHz',
      'sampleRate: 8000',
      '11:39: spec.demand.audio.sampleRate: 8000 is not a sample rate',
    ],
    [
      'a bit rate for a codec of one',
      'sampleRate: 8kHz',
      'bitrate: 20kbit',
      '11:36: spec.demand.audio.bitrate: belongs to codec opus; pcm16 has one rate',
    ],
    [
      'a spike after the end of the simulation',
      'headroom: 30%',
      'simulation: { duration: 5m }\n  headroom: 30%',
      '12:12: spec.demand.spike.at: 5 m is not before the end of the simulation at 5 m: it would not be played',
    ],
    [
      'a spike in the middle of a second',
      'ramp: 60s',
      'ramp: 1500ms',
      '12:30: spec.demand.spike.ramp: 1500 ms is no whole second',
    ],
    ['no users', 'peakUsers: 20000', 'turn: 60s', '9:5: spec.demand: has no users; write peakUsers or usersByMinute'],
    [
      'half a user',
      'peakUsers: 20000',
      'peakUsers: 0.5',
      '9:16: spec.demand.peakUsers: 0.5 is not a whole number from 1',
    ],
    [
      'users twice',
      'peakUsers: 20000',
      'peakUsers: 5\n    usersByMinute: u.csv',
      /usersByMinute: stands beside peakUsers/,
    ],
    ['no streams', 'streams: 120, ', '', '13:8: spec.pod: has neither streams and profile; write one of the two'],
    [
      'a price for nothing',
      '$2.00/h',
      '$2.00',
      '16:25: spec.supply.selfHosted.price: price "$2.00" has no unit; allowed: /min, /h',
    ],
    ['a negative price', '$2.00/h', '$-2.00/h', '16:25: spec.supply.selfHosted.price: price "$-2.00/h" is negative'],
    [
      'a share that nobody takes',
      '    managed: {price: $1.20/h, maxConcurrent: 100}\n',
      '',
      /selfHosted.share: 70% leaves the rest to nobody/,
    ],
    ['a day that is none', '2026-11-23', '2026-02-30', '18:17: spec.supply.pricesAsOf: "2026-02-30" is not a day'],
    [
      'an unknown metric',
      'costPerAudioMinute:',
      'costPerAudiominutes:',
      /unknown key "costPerAudiominutes" \(did you mean "costPerAudioMinute"\?\)/,
    ],
    [
      'an assertion without a comparison',
      '"<= $0.015/min"',
      '"$0.015/min"',
      '20:25: spec.assert.costPerAudioMinute: "$0.015/min" is not a comparison',
    ],
    [
      'an assertion in another unit',
      '"<= $0.015/min"',
      '"<= 15ms"',
      /costPerAudioMinute: price "15ms" has the unknown unit "ms"/,
    ],
    [
      'an assertion about what is not there',
      'costPerAudioMinute:',
      'batchWait:',
      '20:16: spec.assert.batchWait: needs batch',
    ],
  ])('%s', (_, from, to, expected) => {
    const source = liveClass.replace(from, to);
    expect(source).not.toBe(liveClass);
    const problems = read(source);
    expect(problems.join('\n')).toMatch(typeof expected === 'string' ? literal(expected) : expected);
  });

  it('tells all of them at once, in the order of the file', () => {
    const source = liveClass.replace('40%', '400%').replace('120s', '120').replace('"<= $0.015/min"', '5');
    expect(read(source).map((problem) => problem.split(': ')[1])).toEqual([
      'spec.demand.dutyCycle',
      'spec.pod.startup',
      'spec.assert.costPerAudioMinute',
    ]);
  });

  it.each([
    [
      'shares of regions that do not add up',
      '[{name: eu, share: 60%}, {name: us, share: 30%}]',
      'shares add up to 90%, not 100%',
    ],
    [
      'two regions of one name',
      '[{name: eu, share: 60%}, {name: eu, share: 40%}]',
      '"eu" is the name of another region',
    ],
  ])('%s', (_, regions, expected) => expect(read(`${liveClass}  regions: ${regions}\n`).join()).toContain(expected));

  it.each([
    ['{kind: hpa, pods: 3}', 'belongs to kind: fixed, not hpa'],
    ['{kind: fixed, minReplicas: 3}', 'belongs to kind: hpa or keda'],
    ['{kind: hpa, minReplicas: 9, maxReplicas: 3}', '9 is above maxReplicas 3'],
    ['{kind: hpa, minReplicas: 0}', 'only keda scales to 0'],
    ['{kind: keda, target: 70%}', 'belongs to kind: hpa, not keda'],
    ['{kind: hpa, targetStreams: 70}', 'belongs to kind: keda, not hpa'],
    ['{kind: vpa}', '"vpa" is not allowed; allowed: fixed, hpa, keda'],
  ])('scaling: %s', (scaling, expected) =>
    expect(read(`${liveClass}  scaling: ${scaling}\n`).join()).toContain(expected),
  );

  it('points of a curve without the percentile that is asked for', () => {
    const profile = 'profile: {points: [{streams: 5, p95_ms: 9}, {streams: 6, p50_ms: 9}], slo: {value: 10ms}},';
    expect(read(liveClass.replace('streams: 120,', profile))).toEqual([
      '13:53: spec.pod.profile.points.1: has no p95_ms; it has p50_ms',
    ]);
  });

  it('two scenarios of one name', () => {
    expect(read(`${liveClass}---\n${liveClass}`).join()).toContain('a CapacityScenario "live-class" already stands at');
  });

  it.each([[''], ['# nothing\n'], ['kind: CapacityScenario\nspec: {demand: {peak']])(
    'an empty or truncated file: %j',
    (source) => {
      expect(read(source).length).toBeGreaterThan(0);
    },
  );
});

function read(source: string): string[] {
  try {
    parseDocuments('f.yaml', source, 'CapacityScenario', capacityScenario);
    return [];
  } catch (error) {
    if (!(error instanceof SpeechfbError)) throw error;
    return error.problems.map(({ where, message }) => `${where?.replace('f.yaml:', '')}: ${message}`);
  }
}

function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
}
