import { type ModelPackage, networkOfAccelerators } from '../model/model-package.ts';
import type { ModelStepper } from './model-stepper.ts';
import { openStepper } from './stepper.ts';

/**
 * The network that accelerators run, on the CPU: what goes on where a device was lost. Errors:
 * those of `openStepper`.
 */
export function openSameOnCpu(model: ModelPackage, threads: number): Promise<ModelStepper> {
  return openStepper(networkOfAccelerators(model), 'cpu', threads);
}
