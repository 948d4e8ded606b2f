import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { deployJsonSchema } from '../../src/deploy/values/values.ts';

it('has a schema for editors, as it is published', () => {
  expect(JSON.parse(readFileSync('schemas/deploy.schema.json', 'utf8'))).toEqual(deployJsonSchema());
});
