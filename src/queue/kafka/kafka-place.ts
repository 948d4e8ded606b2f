import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import { registerBatchCodecs } from './batch-codecs.ts';

/** Where a Kafka is, and who we are there. */
export type KafkaPlace = {
  /** Some of its brokers, as `host:port`: they know the others. */
  brokers: readonly string[];
  /** PEM texts; absent: unencrypted. */
  tls?: { authority?: string | undefined; certificate?: string | undefined; key?: string | undefined } | undefined;
  sasl?: SaslPlace | undefined;
};

type SaslMechanism = 'plain' | 'scram-sha-256' | 'scram-sha-512';
type SaslPlace = {
  [Mechanism in SaslMechanism]: { mechanism: Mechanism; username: string; password: string };
}[SaslMechanism];

/** The library's client of a Kafka. It says nothing: its words are not ours, and name hosts. */
export function kafkaClient({ brokers, tls, sasl }: KafkaPlace): Kafka {
  const config: KafkaConfig = {
    clientId: 'speechfb',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: connectMs,
    authenticationTimeout: answerMs,
    requestTimeout: answerMs,
    enforceRequestTimeout: true,
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 5 },
    ...(tls && { ssl: { ...opt('ca', tls.authority), ...opt('cert', tls.certificate), ...opt('key', tls.key) } }),
    ...(sasl && { sasl }),
  };
  registerBatchCodecs();
  return new Kafka(config);
}

function opt<Name extends string>(name: Name, pem: string | undefined): Partial<Record<Name, string>> {
  return (pem === undefined ? {} : { [name]: pem }) as Partial<Record<Name, string>>;
}

const connectMs = 3000;
/** Beyond this a broker stands still, and the call is tried again. */
const answerMs = 5000;
