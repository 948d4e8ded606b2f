import { SpeechfbError } from '../../errors.ts';
import { loadQuic } from '../../quic/library.ts';
import type { ServeFlags } from './settings.ts';

/**
 * Whether a server with these flags can speak QUIC, if it is to.
 * @throws SpeechfbError `bad_flag`, `quic_unavailable`
 */
export async function checkQuic({ quic, role, tlsCert, tlsKey }: ServeFlags): Promise<void> {
  if (quic === undefined) return;
  const refuse = (message: string, hint: string): never => {
    throw new SpeechfbError('bad_flag', message, { hint });
  };
  if (role === 'inference') refuse('--quic is not for --role inference', 'learners come to gateways: give it to them');
  if (tlsCert === undefined && tlsKey === undefined)
    refuse('--quic needs a certificate: QUIC is always encrypted', 'add --tls-cert and --tls-key');
  await loadQuic();
}
