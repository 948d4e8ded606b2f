import { type ModelPackage, networkOfAccelerators } from '../model/model-package.ts';
import { openStepper, type Stepper } from './stepper.ts';

/**
 * The network that accelerators run, on the CPU: what goes on where a device was lost. Errors:
 * those of `openStepper`.
 */
export function openSameOnCpu(model: ModelPackage, threads: number): Promise<Stepper> {
  return openStepper(networkOfAccelerators(model), 'cpu', threads);
}
