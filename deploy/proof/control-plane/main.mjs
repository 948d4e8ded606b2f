// Everything that the control plane of ../control-plane.sh is asked, and a table of what it did. Exits 1 when one thing is not so.

import { fails, printTable } from './assertions.mjs';
import { autoscales } from './autoscaling.mjs';
import { installKinds, takesManifests } from './manifests.mjs';

try {
  await installKinds();
  takesManifests();
  await autoscales();
} finally {
  printTable();
}
process.exitCode = fails() ? 1 : 0;
