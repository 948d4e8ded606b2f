import { readFileSync } from 'node:fs';

/** A self-signed certificate of localhost and its key, as PEM. */
export const localhostTls = pairOf('localhost');

/** Another one for the same name, as a renewal brings it. */
export const renewedTls = pairOf('renewed');

function pairOf(name: 'localhost' | 'renewed') {
  const pem = (part: 'cert' | 'key') => readFileSync(`${import.meta.dirname}/golden/${name}.${part}.pem`, 'utf8');
  return { certificate: pem('cert'), key: pem('key') };
}
