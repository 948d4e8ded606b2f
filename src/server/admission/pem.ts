import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { SpeechfbError } from '../../errors.ts';

/** A certificate, with the chain behind it, and its private key, PEM texts. */
export type TlsPair = {
  certificate: string;
  key: string;
  /** Where they are from, as a sentence names it: flag and file. */
  names?: PairNames | undefined;
};

type PairNames = { certificate: string; key: string };

/** A PEM text of those who sign others, and where it is from. */
type NamedAuthority = { pem: string; name: string };

/**
 * The certificate of a pair that TLS takes. What OpenSSL says of one that it does not take names no
 * file and nothing that is allowed, and may quote the text, which may be a key.
 *
 * @throws SpeechfbError `bad_tls`
 */
export function leafOf({ certificate, key, names = nameless }: TlsPair, authority?: NamedAuthority): X509Certificate {
  const [leaf] = certificatesIn(certificate, names.certificate);
  if (!leaf.checkPrivateKey(keyIn(key, names.key))) {
    throw badTls(`${names.key} is not the key of the certificate in ${names.certificate}`);
  }
  try {
    createSecureContext({ cert: certificate, key, ca: authority?.pem });
  } catch (cause) {
    throw badTls(refusalOf(cause, names, authority), cause);
  }
  return leaf;
}

/**
 * The certificates of a PEM text.
 *
 * @param name where it is from
 * @throws SpeechfbError `bad_tls`
 */
export function certificatesIn(pem: string, name: string): readonly [X509Certificate, ...X509Certificate[]] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const [first, ...others] = blocks.map((block, at) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw badTls(`${name}: certificate ${at + 1} of ${blocks.length} is damaged and cannot be read`, cause);
    }
  });
  if (first) return [first, ...others];
  const asked = 'it is PEM with -----BEGIN CERTIFICATE-----';
  throw badTls(`${name} has no certificate${insteadOf(pem, /BEGIN [A-Z ]*PRIVATE KEY/, 'a private key')}: ${asked}`);
}

export function badTls(message: string, cause?: unknown): SpeechfbError {
  return new SpeechfbError('bad_tls', message, { cause });
}

function keyIn(pem: string, name: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    if (/ENCRYPTED/.test(pem)) throw badTls(`${name} is locked by a passphrase; a key without one is needed`, cause);
    const instead = insteadOf(pem, /BEGIN CERTIFICATE/, 'a certificate');
    const asked = 'it is PEM with -----BEGIN PRIVATE KEY-----';
    throw badTls(`${name} has no private key that can be read${instead}: ${asked}`, cause);
  }
}

/** What a text is in place of what it should be, as the middle of a sentence. */
function insteadOf(text: string, other: RegExp, called: string): string {
  if (text.trim() === '') return ' and is empty';
  if (other.test(text)) return `, but ${called}`;
  // DER begins with 0x30, and with a length that is no UTF-8 beyond 127 bytes.
  return /^0[\ufffd]/.test(text) ? ', but bytes, as DER or PKCS#12 are' : '';
}

function refusalOf(cause: unknown, names: PairNames, authority: NamedAuthority | undefined): string {
  const { code = '' } = cause as NodeJS.ErrnoException;
  if (code === 'ERR_SSL_EE_KEY_TOO_SMALL') {
    return `${names.certificate}: its key is too short for TLS; RSA has 2048 bits or more`;
  }
  if (code === 'ERR_SSL_CA_KEY_TOO_SMALL') {
    return `${names.certificate}: the key of a certificate behind the first is too short for TLS; RSA has 2048 bits or more`;
  }
  if (code.endsWith('_MD_TOO_WEAK')) {
    return `${names.certificate}: it is signed with a digest that TLS does not take any more; SHA-256 is taken`;
  }
  const and = authority === undefined ? '' : ` with ${authority.name}`;
  return `TLS does not take ${names.certificate} and ${names.key}${and}: RSA of 2048 bits or more and EC of P-256 are taken`;
}

const nameless: PairNames = { certificate: 'the text of the certificate', key: 'the text of the key' };
