import { expect, it } from 'vitest';
import { tlsTrouble } from '../../src/client/tls-trouble.ts';

const unfit = "Hostname/IP does not match certificate's altnames: ";

it.each<[string, string, string | undefined]>([
  [
    '40B7:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/record.c:355:',
    'plain',
    'what answers there does not speak TLS',
  ],
  [
    `${unfit}Host: asr.test. is not in the cert's altnames: DNS:api.test, DNS:*.api.test, IP Address:10.0.0.1`,
    'name',
    'its certificate is for api.test, *.api.test, 10.0.0.1, not for asr.test',
  ],
  [`${unfit}Host: asr.test. is not cert's CN: api.test`, 'name', 'its certificate is for api.test, not for asr.test'],
  [
    `${unfit}IP: 10.0.0.2 is not in the cert's list: 10.0.0.1`,
    'name',
    'its certificate is for 10.0.0.1, not for asr.test',
  ],
  [`${unfit}IP: 10.0.0.2 is not in the cert's list: `, 'name', 'its certificate does not name asr.test'],
  [`${unfit}Cert does not contain a DNS name`, 'name', 'its certificate does not name asr.test'],
  [`${unfit}Cert is empty`, 'name', 'its certificate does not name asr.test'],
  ['self-signed certificate', 'untrusted', 'self-signed certificate'],
  ['unable to verify the first certificate', 'untrusted', 'unable to verify the first certificate'],
  ['certificate has expired', 'untrusted', 'certificate has expired'],
])('%s is told as %s', (cause, kind, words) => {
  expect(tlsTrouble(cause, 'asr.test')).toEqual({ kind, words });
});

it.each(['connect ECONNREFUSED 127.0.0.1:9', 'no answer within 8 s', ''])('%j is not about TLS', (cause) => {
  expect(tlsTrouble(cause, 'asr.test')).toBeUndefined();
});
