import { QueueError, type QueueTrouble } from '../work-queue.ts';

/**
 * What an error of the library means. Its words name hosts, and say to the operator what the
 * library's authors need: they go no further.
 *
 * @param topic what was to be read or written
 */
export function kafkaTrouble(error: unknown, topic: string): QueueError {
  if (error instanceof QueueError) return error;
  const [why, what] = meaningOf(chainOf(error));
  return new QueueError(why, what.replaceAll('TOPIC', topic));
}

type Meaning = readonly [why: QueueTrouble, what: string];

/** What the broker answers, by the name of its error code (Kafka's protocol guide). */
const byType: Readonly<Record<string, Meaning>> = {
  UNKNOWN_TOPIC_OR_PARTITION: ['no_topic', 'Kafka has no topic TOPIC'],
  MESSAGE_TOO_LARGE: ['too_large', 'the record is larger than max.message.bytes of TOPIC'],
  RECORD_LIST_TOO_LARGE: ['too_large', 'the record is larger than segment.bytes of TOPIC'],
  TOPIC_AUTHORIZATION_FAILED: ['forbidden', 'Kafka does not let us use the topic TOPIC'],
  GROUP_AUTHORIZATION_FAILED: ['forbidden', 'Kafka does not let us join the group of workers'],
  CLUSTER_AUTHORIZATION_FAILED: ['forbidden', 'Kafka does not let us write idempotently'],
  KAFKA_STORAGE_ERROR: ['failed', 'Kafka cannot write to its disk, or read it'],
  GROUP_LOAD_IN_PROGRESS: ['unreachable', 'Kafka has just started, and is not ready for workers yet'],
  GROUP_COORDINATOR_NOT_AVAILABLE: ['unreachable', 'Kafka has just started, and is not ready for workers yet'],
  ILLEGAL_GENERATION: ['failed', 'the record has gone to another worker meanwhile'],
  UNKNOWN_MEMBER_ID: ['failed', 'the record has gone to another worker meanwhile'],
  REBALANCE_IN_PROGRESS: ['failed', 'the records are being shared out anew among the workers'],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: ['failed', 'too few replicas of TOPIC are there (min.insync.replicas)'],
  NOT_ENOUGH_REPLICAS: ['failed', 'too few replicas of TOPIC are there (min.insync.replicas)'],
  INCONSISTENT_GROUP_PROTOCOL: ['other_version', 'the group has workers of another version'],
};

const byName: Readonly<Record<string, Meaning>> = {
  KafkaJSSASLAuthenticationError: ['unauthorized', 'Kafka does not know our user or its password'],
  KafkaJSConnectionError: ['unreachable', 'Kafka does not answer'],
  KafkaJSConnectionClosedError: ['unreachable', 'Kafka has closed the connection'],
  KafkaJSBrokerNotFound: ['unreachable', 'Kafka does not answer'],
  KafkaJSNoBrokerAvailableError: ['unreachable', 'Kafka does not answer'],
  KafkaJSRequestTimeoutError: ['unreachable', 'Kafka does not answer in time'],
  KafkaJSTopicMetadataNotLoaded: ['no_topic', 'Kafka has no topic TOPIC'],
};

/** What has neither a name nor a code: a connection to a broker that stands still was given up. */
const byMessage: Readonly<Record<string, Meaning>> = {
  'Broker not connected': ['unreachable', 'Kafka does not answer'],
};

/** The error that says the most comes last: those before it only tell how often it was met. */
function meaningOf(chain: readonly Cause[]): Meaning {
  const found = chain
    .map(({ name, type, message }) => byType[type] ?? byName[name] ?? byMessage[message])
    .findLast((meaning) => meaning);
  if (found) return found;
  const type = chain.map((one) => one.type).findLast((name) => /^[A-Z_]+$/.test(name));
  return ['failed', type === undefined ? 'Kafka did not do it' : `Kafka did not do it (${type})`];
}

type Cause = { name: string; type: string; message: string };

function chainOf(error: unknown): Cause[] {
  const chain: Cause[] = [];
  let at = error;
  while (at instanceof Error && chain.length < mostCauses) {
    const { type = '', cause } = at as Error & { type?: unknown };
    chain.push({ name: at.name, type: String(type), message: at.message });
    at = cause;
  }
  return chain;
}

const mostCauses = 8;
