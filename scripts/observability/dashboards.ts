import { StackingConfigBuilder, StackingMode } from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Panel, Row } from './panel.ts';
import { rows } from './panels.ts';

/** Every dashboard by the name of its file; each reads what `speechfb serve` has at /metrics. */
export function dashboards(): Record<string, Dashboard> {
  return Object.fromEntries(rows.map(({ file, title, rows: content }) => [file, dashboardOf(file, title, content)]));
}

function dashboardOf(file: string, title: string, content: readonly Row[]): Dashboard {
  const dashboard = new DashboardBuilder(`speechfb: ${title}`)
    .uid(`speechfb-${file}`)
    .tags(['speechfb'])
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .editable()
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('instance')
        .label('Instance')
        .query('label_values(speechfb_build_info, instance)')
        .datasource(datasource)
        .multi(true)
        .includeAll(true)
        .allValue('.*'),
    );
  for (const { title: heading, panels } of content) {
    dashboard.withRow(new RowBuilder(heading));
    for (const panel of panels) dashboard.withPanel(built(panel));
  }
  return dashboard.build();
}

const datasource = { type: 'prometheus', uid: '${datasource}' };

function built(panel: Panel): StatBuilder | TimeSeriesBuilder {
  const builder =
    panel.kind === 'stat' ? new StatBuilder() : new TimeSeriesBuilder().fillOpacity(panel.stacked ? 60 : 5);
  builder
    .title(panel.title)
    .description(panel.description)
    .datasource(datasource)
    .unit(panel.unit)
    .height(8)
    .span(panel.kind === 'stat' ? 6 : 12);
  if (panel.kind !== 'stat') (builder as TimeSeriesBuilder).min(0);
  for (const [legend, expr] of Object.entries(panel.queries))
    builder.withTarget(new DataqueryBuilder().expr(expr).legendFormat(legend).datasource(datasource));
  if (panel.stacked) (builder as TimeSeriesBuilder).stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  return builder;
}
