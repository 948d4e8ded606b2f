import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SpeechfbError } from '../../../src/errors.ts';
import { namedNetwork, namedNetworks, networkNames, unknownNetwork } from '../../../src/sim/networks/index.ts';
import { parseMahimahi } from '../../../src/sim/profile/mahimahi.ts';

describe('named networks', () => {
  it.each([
    // name, kbit/s down and up, ms one way down and up, % loss
    ['2G', 280, 256, 400, 400, 0],
    ['Edge', 240, 200, 420, 420, 0],
    ['3GSlow', 400, 400, 200, 200, 0],
    ['3G', 1600, 768, 150, 150, 0],
    ['3GFast', 1600, 768, 75, 75, 0],
    ['4G', 9000, 9000, 85, 85, 0],
    ['LTE', 12_000, 12_000, 35, 35, 0],
    ['WiFi', 40_000, 33_000, 1, 1, 0],
    ['VeryBad', 1000, 1000, 500, 500, 10],
    ['nlc-lte', 50_000, 10_000, 50, 65, 0],
    ['atc-3g-average', 780, 330, 100, 100, 0],
    ['atc-edge-average', 240, 200, 400, 440, 0],
    ['atc-2g-dev-rural', 20, 18, 650, 650, 2],
    ['lighthouse-mobile', 1600, 750, 75, 75, 0],
    ['loadero-4g', 100_000, 50_000, 45, 45, 0.2],
    ['loadero-3.5g', 20_000, 10_000, 150, 150, 0.5],
    ['loadero-3g', 1200, 1200, 250, 250, 0.5],
  ])('%s has the published figures', (name, downKbit, upKbit, downMs, upMs, lossPercent) => {
    const { up, down } = namedNetwork(name)!;
    const loss = lossPercent === 0 ? { model: 'none' } : { model: 'iid', share: lossPercent / 100 };
    expect(down).toMatchObject({ rateBitsPerSecond: downKbit * 1000, delayUs: downMs * 1000, loss });
    expect(up).toMatchObject({ rateBitsPerSecond: upKbit * 1000, delayUs: upMs * 1000, loss });
  });

  it('jitter of each direction, where a tool gives it', () => {
    expect(namedNetwork('loadero-4g')!.up.jitter?.valueUs).toBe(15_000);
    expect(namedNetwork('loadero-4g')!.down.jitter?.valueUs).toBe(5000);
    expect(namedNetwork('LTE')!.up.jitter).toBeUndefined();
  });

  it('ideal has nothing in the way', () => {
    const { up, down, events } = namedNetwork('ideal')!;
    expect(up).toEqual(down);
    expect(up).toMatchObject({ delayUs: 0, jitter: undefined, rateBitsPerSecond: undefined, loss: { model: 'none' } });
    expect(events).toEqual([]);
  });

  it('lte-commute has fades, handovers and tunnels', () => {
    const { up, events } = namedNetwork('lte-commute')!;
    expect(up.loss).toMatchObject({ model: 'gilbert-elliott', clock: 'time', badUs: 120_000 });
    expect(events.map(({ kind }) => kind)).toEqual(['handover', 'outage']);
  });

  it.each(namedNetworks.map((profile) => [profile.name, profile] as const))('%s is whole', (_, profile) => {
    expect(profile.source.length).toBeGreaterThan(20);
    for (const path of [profile.up, profile.down])
      expect([path.delayUs, path.jitter?.valueUs ?? 0, path.queuePackets].every(Number.isInteger)).toBe(true);
  });

  it.each(networkNames)('docs/network.md has %s', (name) => {
    expect(readFileSync('docs/network.md', 'utf8')).toMatch(
      new RegExp(`^\\|.*\`${name.replace('.', '\\.')}\`.*\\|$`, 'm'),
    );
  });

  it('are found whatever their case, and each name is there once', () => {
    expect(namedNetwork('ltE')).toBe(namedNetwork('LTE'));
    expect(namedNetwork('EDGE')?.name).toBe('Edge');
    expect(namedNetwork('constructor')).toBeUndefined();
    expect(new Set(networkNames.map((name) => name.toLowerCase())).size).toBe(networkNames.length);
  });

  it('a typo is told what was meant', () => {
    expect(unknownNetwork('3GSlw')).toMatch(
      /^no network is called "3GSlw" \(did you mean "3GSlow"\?\); allowed: ideal, 5G, .*, VeryBad, wpt-\.\.\., nlc-/,
    );
    expect(unknownNetwork('trian', ['train'])).toContain('did you mean "train"?');
  });
});

describe('a Mahimahi trace', () => {
  it('is the times at which packets may leave', () => {
    expect(parseMahimahi('up.pps', '0\n5\n5\n12\r\n')).toEqual([0, 5, 5, 12]);
  });

  it.each([
    ['words', '1\nfoo\n3', 'up.pps:2:1', '"foo" is not a whole number of ms'],
    ['a time before the last', '5\n3', 'up.pps:2:1', '"3" comes before the 5 ms ahead of it'],
    ['a fraction', '1.5', 'up.pps:1:1', '"1.5" is not a whole number of ms'],
    ['nothing', '', 'up.pps:1:1', 'has no time above 0 ms: nothing would ever leave'],
    ['only zeros', '0\n0', 'up.pps:1:1', 'has no time above 0 ms: nothing would ever leave'],
  ])('refuses %s', (_, text, where, message) => {
    expect(() => parseMahimahi('up.pps', text)).toThrow(SpeechfbError);
    try {
      parseMahimahi('up.pps', text);
    } catch (error) {
      expect((error as SpeechfbError).problems).toEqual([{ where, message }]);
    }
  });
});
