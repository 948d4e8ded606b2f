import { describe, expect, it } from 'vitest';
import { loadQuic } from '../../src/quic/library.ts';

describe('the library that speaks QUIC', () => {
  it.each([
    ['is not installed', Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })],
    ['does not load here, on PLATFORM', new Error('no machine code for this platform\nat load')],
  ])('%s: one sentence, and the command that installs it', async (why, cause) => {
    await expect(loadQuic(() => Promise.reject(cause))).rejects.toMatchObject({
      code: 'quic_unavailable',
      exitCode: 2,
      message: `QUIC needs the package @currentspace/http3, which ${why.replace('PLATFORM', `${process.platform} and ${process.arch}`)}`,
      hint: 'npm install @currentspace/http3@0.9.0',
    });
  });
});
