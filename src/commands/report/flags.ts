/** How a run can be shown again. */
export const reportFormats = ['table', 'json', 'markdown', 'junit', 'hdrplot', 'prometheus'] as const;

type ReportFormat = (typeof reportFormats)[number];

export type ReportFlags = { format: ReportFormat; metric: string };
