import { expect, it } from 'vitest';
import { trusting } from '../../../src/client/link/trust.ts';
import { localhostTls } from '../../kit/localhost.ts';

it('what is trusted is read once, and anew for another authority', () => {
  const [one, other] = [localhostTls.certificate, `${localhostTls.certificate}\n`];
  const first = trusting(one);
  expect(trusting(one)).toBe(first);
  expect(trusting(other)).not.toBe(first);
});
