import { expect, it } from 'vitest';
import { kafkaTrouble } from '../../../src/queue/kafka/kafka-trouble.ts';

it.each([
  [
    'that has just started',
    named('KafkaJSProtocolError', 'GROUP_LOAD_IN_PROGRESS'),
    'unreachable',
    'Kafka has just started',
  ],
  ['that stands still', new Error('Broker not connected'), 'unreachable', 'Kafka does not answer'],
  [
    'without replicas',
    named('KafkaJSProtocolError', 'NOT_ENOUGH_REPLICAS_AFTER_APPEND'),
    'failed',
    'too few replicas of t',
  ],
  [
    'that has shared the work out anew',
    named('KafkaJSProtocolError', 'ILLEGAL_GENERATION'),
    'failed',
    'gone to another worker',
  ],
  ['without a topic', named('KafkaJSProtocolError', 'UNKNOWN_TOPIC_OR_PARTITION'), 'no_topic', 'Kafka has no topic t'],
  [
    'of another kind',
    named('KafkaJSProtocolError', 'CORRUPT_MESSAGE'),
    'failed',
    'Kafka did not do it (CORRUPT_MESSAGE)',
  ],
  ['that says nothing', new Error('host secret.example'), 'failed', 'Kafka did not do it'],
])('a Kafka %s is told in our own words, however often it was tried', (_, cause, why, message) => {
  const error = new Error('it was tried five times', { cause });
  expect(kafkaTrouble(error, 't')).toMatchObject({
    name: 'QueueError',
    why,
    message: expect.stringContaining(message),
  });
});

/** An error of the library. */
function named(name: string, type: string): Error {
  return Object.assign(new Error('host secret.example'), { name, type });
}
