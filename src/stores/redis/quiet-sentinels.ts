import { type Redis, SentinelConnector } from 'ioredis';

/**
 * Asks sentinels as ioredis does, and hears the errors of its connections to them. Nobody hears
 * those that wait for a failover: a sentinel that is away would be a stack on stderr each time that
 * it is tried again, and what matters of it is told by who asks for the master.
 */
export class QuietSentinels extends SentinelConnector {
  /** @param options those of the client, as ioredis hands them on */
  constructor(options: unknown) {
    super(options as ConstructorParameters<typeof SentinelConnector>[0]);
    const own = this as unknown as { connectToSentinel(...given: unknown[]): Redis };
    const connectTo = own.connectToSentinel.bind(this);
    own.connectToSentinel = (...given) => connectTo(...given).on('error', () => {});
  }
}
