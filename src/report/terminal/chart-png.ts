import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inflateSync } from 'node:zlib';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

/**
 * An SVG document as PNG bytes at twice its size, its text in the PT Mono that comes along: no
 * system font is needed.
 */
export async function svgToPng(svg: string): Promise<Uint8Array> {
  started ??= initWasm(readFileSync(require.resolve('@resvg/resvg-wasm/index_bg.wasm')));
  await started;
  const font = unpackWoff(readFileSync(require.resolve('@fontsource/pt-mono/files/pt-mono-latin-400-normal.woff')));
  return new Resvg(svg, {
    fitTo: { mode: 'zoom', value: 2 },
    font: { loadSystemFonts: false, fontBuffers: [font], defaultFontFamily: 'PT Mono' },
  })
    .render()
    .asPng();
}

const require = createRequire(import.meta.url);
let started: Promise<void> | undefined;

/**
 * The TrueType font inside a WOFF 1.0 file (W3C Recommendation, 13 December 2012): the same tables,
 * each inflated, under an sfnt header.
 */
export function unpackWoff(woff: Buffer): Buffer {
  const count = woff.readUInt16BE(12);
  const tables = Array.from({ length: count }, (_, i) => tableAt(woff, 44 + 20 * i));
  const directory = Buffer.alloc(12 + 16 * count);
  const power = 2 ** Math.floor(Math.log2(count));
  woff.copy(directory, 0, 4, 8);
  directory.writeUInt16BE(count, 4);
  directory.writeUInt16BE(power * 16, 6);
  directory.writeUInt16BE(Math.log2(power), 8);
  directory.writeUInt16BE((count - power) * 16, 10);
  let offset = directory.length;
  const bodies = tables.map(({ tag, checksum, body }, i) => {
    const entry = 12 + 16 * i;
    tag.copy(directory, entry);
    directory.writeUInt32BE(checksum, entry + 4);
    directory.writeUInt32BE(offset, entry + 8);
    directory.writeUInt32BE(body.length, entry + 12);
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    offset += padded.length;
    return padded;
  });
  return Buffer.concat([directory, ...bodies]);
}

function tableAt(woff: Buffer, entry: number): { tag: Buffer; checksum: number; body: Buffer } {
  const [offset, packed, length] = [4, 8, 12].map((at) => woff.readUInt32BE(entry + at)) as [number, number, number];
  const bytes = woff.subarray(offset, offset + packed);
  return {
    tag: woff.subarray(entry, entry + 4),
    checksum: woff.readUInt32BE(entry + 16),
    body: packed < length ? inflateSync(bytes) : bytes,
  };
}
