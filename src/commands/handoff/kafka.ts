import type { Command } from 'commander';
import { SpeechfbError } from '../../errors.ts';
import type { KafkaPlace } from '../../queue/kafka/kafka-place.ts';
import { fromEnvironment } from '../../secret-url.ts';

/** What says where a Kafka is, and who we are there. */
export type KafkaFlags = { kafka?: string; kafkaTls?: true; kafkaUser?: string };

export function addKafkaOptions(command: Command): void {
  command
    .option('--kafka <brokers>', 'brokers of a Kafka, as host:9092,host:9092: what cannot be finished live goes there')
    .option('--kafka-tls', 'speak TLS with them; who signs their certificates is in NODE_EXTRA_CA_CERTS')
    .option('--kafka-user <user>', 'SCRAM-SHA-512, as name:${env:KAFKA_PASSWORD}; needs --kafka-tls');
}

/** @throws SpeechfbError `bad_flag`, `unset_variable` */
export function kafkaPlaceOf({ kafka = '', kafkaTls, kafkaUser }: KafkaFlags): KafkaPlace {
  const brokers = kafka.split(',').map((broker) => broker.trim());
  const wrong = brokers.find((broker) => !isBroker(broker));
  if (wrong !== undefined) {
    throw new SpeechfbError('bad_flag', `--kafka "${wrong}" is no broker; allowed: host:port, several with commas`);
  }
  const tls = kafkaTls ? {} : undefined;
  if (kafkaUser === undefined) return { brokers, tls };
  if (!kafkaTls)
    throw new SpeechfbError('bad_flag', '--kafka-user needs --kafka-tls: a password is not sent in the clear');
  const [, username, password] = /^([^:]+):(.+)$/s.exec(fromEnvironment(kafkaUser)) ?? [];
  if (username === undefined || password === undefined) {
    throw new SpeechfbError('bad_flag', '--kafka-user is not name:password', { hint: 'as name:${env:KAFKA_PASSWORD}' });
  }
  return { brokers, tls, sasl: { mechanism: 'scram-sha-512', username, password } };
}

/** The topics of a region: sound is not to leave it. */
export function topicsOf(region: string | undefined): { topic: string; deadTopic: string; group: string } {
  const suffix = region ? `.${region}` : '';
  return {
    topic: `speechfb.retry.v1${suffix}`,
    deadTopic: `speechfb.retry.dlq.v1${suffix}`,
    group: `speechfb-worker-v1${suffix}`,
  };
}

function isBroker(text: string): boolean {
  const port = Number(/^(?:[\w.-]+|\[[0-9a-f:]+\]):(\d{1,5})$/i.exec(text)?.[1]);
  return port >= 1 && port <= 65_535;
}
