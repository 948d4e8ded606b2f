import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

/**
 * What a client trusts that has an authority of its own: the world's, and that. It is kept, since
 * reading a hundred and more certificates takes 20 to 30 ms, in which a thread does nothing else: a
 * connection each made every learner of a load test late.
 *
 * @param ca one or more certificates, PEM
 */
export function trusting(ca: string): SecureContext {
  if (kept?.ca !== ca) kept = { ca, context: createSecureContext({ ca: [...rootCertificates, ca] }) };
  return kept.context;
}

/** The last one: a program has one target as a rule. */
let kept: { ca: string; context: SecureContext } | undefined;
