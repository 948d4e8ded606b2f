import { join } from 'node:path';
import { readText } from '../../config/read-chunks.ts';
import { SpeechfbError } from '../../errors.ts';
import { annotateOwnPod, type OwnPod } from '../../telemetry/own-pod.ts';

/**
 * Makes what tells the cluster the cost of deleting the pod that this process runs in.
 *
 * @param folder of the pod's account; `true`: where Kubernetes mounts it
 * @throws SpeechfbError `bad_flag` outside of a pod, `unreadable_file`
 */
export function costTellerOf(
  folder: string | true,
  env: NodeJS.ProcessEnv,
): (cost: number, signal: AbortSignal) => Promise<void> {
  const pod = ownPodOf(folder === true ? usualAccount : folder, env);
  return (cost, signal) => annotateOwnPod(pod, { [annotation]: String(cost) }, signal);
}

function ownPodOf(account: string, env: NodeJS.ProcessEnv): OwnPod {
  const [host, port, name, namespace] = [
    'KUBERNETES_SERVICE_HOST',
    'KUBERNETES_SERVICE_PORT',
    'POD_NAME',
    'POD_NAMESPACE',
  ].map((variable) => {
    const value = env[variable];
    if (value) return value;
    throw new SpeechfbError('bad_flag', `--pod-deletion-cost: ${variable} is not set in the environment`, {
      hint: 'it is for a pod of Kubernetes, with POD_NAME and POD_NAMESPACE from metadata.name and metadata.namespace (fieldRef)',
    });
  });
  if (!/^\d{1,5}$/.test(port!) || Number(port) > 65_535)
    throw new SpeechfbError(
      'bad_flag',
      `--pod-deletion-cost: KUBERNETES_SERVICE_PORT is "${port}"; allowed: 0 to 65535`,
    );
  // Both are read anew each time; that they are there is known at once.
  for (const file of ['token', 'ca.crt']) readText(join(account, file), "pod's account");
  return { host: host!, port: Number(port), namespace: namespace!, name: name!, account };
}

const annotation = 'controller.kubernetes.io/pod-deletion-cost';
const usualAccount = '/var/run/secrets/kubernetes.io/serviceaccount';
