import { writeFileSync } from 'node:fs';
import { dashboards } from './observability/dashboards.ts';

// Writes the Grafana dashboards of deploy/observability; a test holds them against this.
for (const [file, dashboard] of Object.entries(dashboards()))
  writeFileSync(`deploy/observability/dashboards/${file}.json`, `${JSON.stringify(dashboard, null, 2)}\n`);
