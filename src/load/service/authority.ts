import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A certificate and its key as PEM. */
export type Pair = { certificate: string; key: string };

/** An authority signs certificates. */
export type Authority = Pair & {
  /** Issues one of localhost and 127.0.0.1, good for an hour around now, or as asked. */
  issue(options?: IssueOptions): Pair;
};

/** A certificate is good from `fromMs` until `untilMs`, ms since 1970. */
type IssueOptions = {
  fromMs?: number;
  untilMs?: number;
  /** PEM of the private key that it is for; absent: a new one. */
  key?: string;
};

/** A new authority for one test, called `name` in its certificates. */
export function newAuthority(name: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = write({
    subject: name,
    issuer: name,
    publicKey: keys.publicKey,
    by: keys.privateKey,
    isAuthority: true,
  });
  const issue = ({ key, ...validity }: IssueOptions = {}): Pair => {
    const own = key === undefined ? newKey() : createPrivateKey(key);
    const signed = { subject: 'localhost', issuer: name, publicKey: createPublicKey(own), by: keys.privateKey };
    return { certificate: write({ ...signed, ...validity }), key: pemOfKey(own) };
  };
  return { certificate, key: pemOfKey(keys.privateKey), issue };
}

type Content = Pick<IssueOptions, 'fromMs' | 'untilMs'> & {
  subject: string;
  issuer: string;
  publicKey: KeyObject;
  by: KeyObject;
  isAuthority?: boolean;
};

/** X.509 v3 as RFC 5280 has it, signed with ECDSA and SHA-256. */
function write({ subject, issuer, publicKey, by, isAuthority = false, ...validity }: Content): string {
  const { fromMs = Date.now() - hourMs, untilMs = Date.now() + hourMs } = validity;
  const algorithm = sequence(oid('2a8648ce3d040302'));
  serial += 1;
  const extensions = sequence(
    sequence(
      oid('551d13'),
      tag(0x01, Buffer.of(0xff)),
      octets(sequence(...(isAuthority ? [tag(0x01, Buffer.of(0xff))] : []))),
    ),
    sequence(oid('551d11'), octets(sequence(tag(0x82, Buffer.from('localhost')), tag(0x87, Buffer.of(127, 0, 0, 1))))),
  );
  const body = sequence(
    tag(0xa0, integer(2)),
    integer(serial),
    algorithm,
    nameOf(issuer),
    sequence(time(fromMs), time(untilMs)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tag(0xa3, extensions),
  );
  const signature = tag(0x03, Buffer.concat([Buffer.of(0), sign('sha256', body, by)]));
  const text = sequence(body, algorithm, signature)
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n');
  return `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
}

const hourMs = 3_600_000;
let serial = 0;

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function pemOfKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function nameOf(common: string): Buffer {
  return sequence(tag(0x31, sequence(oid('550403'), tag(0x0c, Buffer.from(common)))));
}

/** UTCTime, in whole seconds. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return tag(0x17, Buffer.from(`${digits}Z`));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tag(0x30, Buffer.concat(parts));
}

function octets(content: Buffer): Buffer {
  return tag(0x04, content);
}

function oid(hex: string): Buffer {
  return tag(0x06, Buffer.from(hex, 'hex'));
}

function integer(value: number): Buffer {
  return tag(0x02, Buffer.of(value));
}

/** An element of DER: its tag, its length, its content. */
function tag(number: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(number, ...size), content]);
}
