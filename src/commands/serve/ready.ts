import type { AcousticEngine } from '../../acoustic/engine/types.ts';
import { installNative } from '../../acoustic/onnx/runtime.ts';
import { plainText } from '../../plain-text.ts';
import type { Warm } from '../../server/cluster/messages.ts';
import type { Log } from '../../telemetry/log.ts';
import { printDocument } from '../output.ts';
import type { DeviceCurve } from './curve.ts';

/** What says of an engine that is warm what it runs. */
export function warmOf({ model: { name, version }, provider, whyNotNative }: AcousticEngine): Warm {
  return { name, version, provider, whyNotNative };
}

/** Says on stdout where the server is ready, and warns when the model runs slower than it could. */
export function sayReady(
  url: string,
  { name, version, provider, whyNotNative }: Warm,
  { log, curve }: { log: Log; curve: DeviceCurve | undefined },
): void {
  if (whyNotNative !== undefined) log.warn({ whyNotNative, hint: installNative }, 'the model runs as WebAssembly');
  if (curve && curve.tuning.device !== provider) {
    log.warn({ curve: curve.tuning.device, provider }, 'the curve is of another device and says nothing of this one');
  }
  printDocument(`${plainText(`speechfb: ready at ${url} (${name} ${version} on ${provider})`)}\n`);
}
