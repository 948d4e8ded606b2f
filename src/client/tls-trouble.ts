/**
 * What a TLS connection that failed says of the server, for people. `plain`: it does not speak TLS;
 * `name`: its certificate is for another; `untrusted`: nobody whom we trust has signed it.
 */
export type TlsTrouble = { kind: 'plain' | 'name' | 'untrusted'; words: string };

/** Reads it from the words of OpenSSL and Node; undefined where they are not about TLS. */
export function tlsTrouble(cause: string, hostname: string): TlsTrouble | undefined {
  if (/wrong version number|packet length too long/.test(cause))
    return { kind: 'plain', words: 'what answers there does not speak TLS' };
  const [, names] = /does not match certificate's altnames: (?:.*(?:altnames|CN|list):(?: |$))?(.*)$/.exec(cause) ?? [];
  if (names !== undefined) return { kind: 'name', words: `its certificate ${nameOf(names)}${hostname}` };
  return /certificate|self.signed/i.test(cause) ? { kind: 'untrusted', words: cause } : undefined;
}

/** An address is sought in a list of addresses alone, which is often empty. */
function nameOf(names: string): string {
  const plain = names.replace(/\b(DNS|IP Address):/g, '').trim();
  return plain === '' || /does not contain|is empty/.test(plain) ? 'does not name ' : `is for ${plain}, not for `;
}
