import { describe, expect, it } from 'vitest';
import { leaksIn, pieceBytes } from './leaks.ts';

const piece = Uint8Array.from({ length: pieceBytes }, (_, i) => (i * 37 + 11) % 251);
const raw = Buffer.from(piece);
const samples = Array.from({ length: pieceBytes / 2 }, (_, i) => raw.readInt16LE(2 * i));
const secrets = { words: ['conference', 'arrives'], sound: [piece] };
const among = (text: string) => Buffer.from(`{"level":30,"msg":"x","field":"${text}"}\n`);
const shifted = (before: number) => Buffer.concat([Buffer.alloc(before, 7), raw, Buffer.alloc(9, 7)]);

describe('a leak that was planted is found', () => {
  it.each<[string, Uint8Array, string]>([
    ['a word', among('the conference will begin'), 'conference'],
    ['a word in capitals', among('ARRIVES'), 'arrives'],
    ['a word in a URL', among('/x?text=the+leader+arrives%20now'), 'arrives'],
    ['sound as it is', Buffer.concat([Buffer.from('frame '), raw]), 'raw sound'],
    ['sound in hexadecimal', among(raw.toString('hex')), 'sound in hexadecimal'],
    ['sound in capitals', among(raw.toString('hex').toUpperCase()), 'sound in hexadecimal'],
    ['sound in Base64', among(shifted(0).toString('base64')), 'sound in Base64'],
    ['sound in Base64, one byte on', among(shifted(1).toString('base64')), 'sound in Base64'],
    ['sound in Base64, two bytes on', among(shifted(2).toString('base64')), 'sound in Base64'],
    ['sound in the Base64 of URLs', among(shifted(1).toString('base64url')), 'sound in Base64'],
    ['sound as a list of bytes', among(JSON.stringify([1, ...raw, 2])), 'sound as bytes'],
    ['sound as a list of samples', among(samples.join(', ')), 'sound as samples'],
  ])('%s', (_, bytes, found) => {
    expect(leaksIn(bytes, secrets)).toEqual([found]);
  });

  it.each([
    ['nothing', ''],
    ['a word that is part of another', 'conferences'],
    ['the beginning of sound', raw.subarray(0, 8).toString('hex')],
  ])('and %s is none', (_, text) => {
    expect(leaksIn(among(text), secrets)).toEqual([]);
  });
});
