import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findKafka } from '../../../src/load/service/kafka-process.ts';
import { temporaryDirectory } from '../../kit/temporary-directory.ts';

const empty = temporaryDirectory();

it.each([
  ['', 'target.embedded.handoff is kafka, but KAFKA_HOME is not set'],
  ['/no/such/folder', 'target.embedded.handoff is kafka, but KAFKA_HOME is "/no/such/folder", where no Kafka is'],
  [empty, `target.embedded.handoff is kafka, but KAFKA_HOME is "${empty}", where no Kafka is`],
])('a KAFKA_HOME of %s has no Kafka, which is one error', (home, message) => {
  expect(() => findKafka(home)).toThrow(message);
});

it('a Kafka is found by its jars', () => {
  const home = temporaryDirectory();
  mkdirSync(join(home, 'libs'));
  writeFileSync(join(home, 'libs/kafka_2.13-4.4.0.jar'), '');
  expect(findKafka(home)).toBe(join(home, 'libs'));
});
