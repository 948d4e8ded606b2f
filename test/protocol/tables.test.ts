import { expect, it } from 'vitest';
import { defaultPort, streamPath, subprotocol } from '../../src/protocol/address.ts';
import { closeCodes } from '../../src/protocol/codes.ts';
import { serverStages, stages } from '../../src/protocol/stages.ts';

// What two programs must agree on is written out twice: who changes it here has changed the protocol.

it('the address of a stream and the name of the protocol stand', () => {
  expect([defaultPort, streamPath, subprotocol]).toEqual([8090, '/v1/stream', 'speechfb.v1']);
});

it('close codes without an error stand', () => {
  expect(closeCodes).toEqual({ normal: 1000, goingAway: 1001, restart: 1012, tryLater: 1013 });
});

it('the stages stand in the order of the sound, those of the server between the two of the network but for its wait for sound', () => {
  expect(stages.join(' ')).toBe('capture window uplink ingress queue features asr scoring emit downlink');
  expect(serverStages).toEqual(['window', ...stages.slice(3, -1)]);
});
