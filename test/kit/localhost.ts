import { readFileSync } from 'node:fs';

/** A self-signed certificate of localhost and its key, as PEM. */
export const localhostTls = { certificate: pem('cert'), key: pem('key') };

function pem(name: 'cert' | 'key') {
  return readFileSync(`${import.meta.dirname}/golden/localhost.${name}.pem`, 'utf8');
}
