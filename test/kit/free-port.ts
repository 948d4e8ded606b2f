export { freePort } from '../../src/load/service/free-port.ts';
