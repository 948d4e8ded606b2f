import { duration } from '../../../config/fields.ts';
import { defineServerFault } from '../definition/definition.ts';

/** What is open goes on; what is opened anew waits until somebody has renewed them. */
export const expireCertificates = defineServerFault({
  name: 'expire-certificates',
  key: 'expireCertificates',
  about: 'The certificates of the embedded server, of its gateways and trunks, expire, and are renewed after `for`.',
  fields: { for: duration(1, 3_600_000) },
  target: 'server',
  part: 'tls',
  inject: async ({ certificates }) => {
    certificates?.expireSoon();
    return certificates ? undefined : 'the server has no certificates';
  },
  end: ({ certificates }) => certificates?.renew(),
});
